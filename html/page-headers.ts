/**
 * The headers of a page that was made for one visitor: its bytes are not the origin's, so neither are length, validators, digests and
 * ranges, and no shared cache may keep it. All else is the origin's, every Set-Cookie too.
 */

const ofOriginsBytes = new Set([
  "content-length",
  "etag",
  "last-modified",
  "accept-ranges",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
]);

/**
 * What shared caches obey instead of Cache-Control: the targeted ones (RFC 9213) such as CDN-Cache-Control, with a vendor's name before
 * it, and the vendors' own. Expires is one of them for caches that know no "private".
 */
const forSharedCaches =
  /^(?:.+-cache-control|surrogate-control|edge-control|x-accel-expires|expires)$/;

/** Makes a response's headers those of a page for one visitor. */
export function makePersonal(headers: Headers, setCookie: string | null): void {
  const origins = headers.get("cache-control");
  for (const name of Array.from(headers.keys())) {
    if (ofOriginsBytes.has(name) || forSharedCaches.test(name)) headers.delete(name);
  }
  headers.set("cache-control", privately(origins));
  if (setCookie !== null) headers.append("set-cookie", setCookie);
}

/** What the origin says, but for the visitor's own cache alone. */
function privately(cacheControl: string | null): string {
  const directives = (cacheControl ?? "").match(/(?:[^,"]|"[^"]*")+/g) ?? [];
  const kept = directives
    .map((directive) => directive.trim())
    .filter((directive) => directive !== "")
    .filter((directive) => !/^(?:public|private|s-maxage|proxy-revalidate)\b/i.test(directive));
  return ["private", ...kept].join(", ");
}

/**
 * A request whose answer cannot be "not modified": what the visitor has may be of another variant, or from before the experiment.
 * The same request when it says nothing of the kind.
 */
export function unconditional(request: Request): Request {
  const conditions = ["if-none-match", "if-modified-since"];
  if (!conditions.some((name) => request.headers.has(name))) return request;
  const headers = new Headers(request.headers);
  for (const name of conditions) headers.delete(name);
  return new Request(request, { headers });
}

const pageDestinations = new Set(["document", "iframe", "frame", "object", "embed", "empty"]);

/** Whether a page may be the answer, as far as the request tells: pictures, styles and scripts keep their validators. */
export function mayAskForPage({ method, headers }: Request): boolean {
  // Of any other method a condition guards a write.
  if (method !== "GET" && method !== "HEAD") return false;
  const destination = headers.get("sec-fetch-dest");
  if (destination !== null && !pageDestinations.has(destination)) return false;
  const accept = headers.get("accept");
  return accept === null || /text\/html|\*\/\*|text\/\*/i.test(accept);
}
