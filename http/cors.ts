/**
 * Client keys are used by pages of other origins; server and admin keys never are, so their answers grant nothing.
 * No cookies are involved: who may read an answer is decided by its key and the key's origins.
 */

const allowed =
  "authorization, content-type, if-none-match, x-api-key, x-edgewise-sdk, x-request-id";
const exposed = "age, etag, retry-after, x-edgewise-version, x-request-id";
const daySeconds = "86400";

/** The answer to a preflight, which carries no key: what the key allows is decided at the request itself. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": allowed,
      "access-control-max-age": daySeconds,
    },
  });
}

/** For an answer that pages of this origin may read; nothing for a request that no page made. */
export function grantTo(origin: string | null): Record<string, string> {
  return origin === null
    ? {}
    : {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": exposed,
        vary: "origin",
      };
}
