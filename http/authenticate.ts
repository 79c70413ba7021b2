/** Who is calling, and for which environment: `Authorization: Bearer ew_…`, or `X-API-Key`, against a directory of hashed keys. */

import type { ApiKey, KeyDirectory, Later, Role } from "../contracts/api-key.ts";
import { ok, refuse } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";

export interface Principal {
  key: ApiKey;
  /** The environment's id that the request is about. */
  environment: string;
}

export type Need =
  | { kinds: readonly ("server" | "client" | "admin")[] }
  /** An admin key of at least this role. */
  | { role: Role };

const environmentHeader = "x-edgewise-environment";
const defaultEnvironment = "default/production";
const rank: Record<Role, number> = { viewer: 0, editor: 1, admin: 2 };
const bare = /^(ew_[\w-]{1,200})$/;
const bearer = /^Bearer +(ew_[\w-]{1,200})$/i;

/** `later` keeps work alive after the answer: given it, a directory may look a key up again in the background. */
export async function authenticate(
  headers: Headers,
  directory: KeyDirectory,
  need: Need,
  later?: Later,
): Promise<Result<Principal>> {
  const secret = secretOf(headers);
  if (secret === undefined) {
    return refuse("unauthenticated", "Send the header Authorization: Bearer ew_… with an API key.");
  }
  try {
    const key = await directory.keyOf(secret, later);
    if (key === null) return refuse("unauthenticated", "This API key is unknown or revoked.");
    const refusal = refusalOf(key, need, headers);
    if (refusal !== null) return refuse("forbidden", refusal);
    const { environment } = key;
    const named = headers.get(environmentHeader);
    if (environment === null) return await installationsOwn(key, named, directory, later);
    return named === null
      ? ok({ key, environment })
      : refuse("forbidden", `Only the installation's key may send ${environmentHeader}.`);
  } catch (error) {
    console.error(JSON.stringify({ event: "key-directory-unavailable", error: String(error) }));
    return refuse("unavailable", "API keys cannot be checked at the moment; try again.", {
      retryAfterSeconds: 2,
    });
  }
}

function secretOf(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  return authorization === null
    ? bare.exec(headers.get("x-api-key") ?? "")?.[1]
    : bearer.exec(authorization)?.[1];
}

function refusalOf(key: ApiKey, need: Need, headers: Headers): string | null {
  const origin = key.origins === undefined ? null : headers.get("origin");
  if (origin !== null && key.origins?.includes(origin) === false) {
    return `This client key may not be used from ${origin}; add the origin to the key.`;
  }
  if ("kinds" in need) {
    return need.kinds.includes(key.kind)
      ? null
      : `A ${key.kind} key may not do this; use a key of kind ${need.kinds.join(" or ")}.`;
  }
  if (key.kind !== "admin") return `A ${key.kind} key may not do this; use an admin key.`;
  return rank[key.role ?? "viewer"] >= rank[need.role]
    ? null
    : `This needs the role ${need.role}; the key has ${key.role ?? "viewer"}.`;
}

/** The installation's key is good for the environment that a request names. */
async function installationsOwn(
  key: ApiKey,
  named: string | null,
  directory: KeyDirectory,
  later: Later | undefined,
): Promise<Result<Principal>> {
  const name = named ?? defaultEnvironment;
  const environment = await directory.environmentOf(name, later);
  return environment === null
    ? refuse(
        "not-found",
        `${environmentHeader}: there is no environment ${name} (customer/environment).`,
      )
    : ok({ key, environment });
}
