/** Who is calling, and for which environment: `Authorization: Bearer ew_…` against a directory of hashed keys. */

import type { ApiKey, KeyDirectory, Role } from "../contracts/api-key.ts";
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
const bearer = /^Bearer +(ew_[\w-]{1,200})$/i;

export async function authenticate(
  headers: Headers,
  directory: KeyDirectory,
  need: Need,
): Promise<Result<Principal>> {
  const secret = bearer.exec(headers.get("authorization") ?? "")?.[1];
  if (secret === undefined) {
    return refuse("unauthenticated", "Send the header Authorization: Bearer ew_… with an API key.");
  }
  try {
    const key = await directory.keyOf(secret);
    if (key === null) return refuse("unauthenticated", "This API key is unknown or revoked.");
    const refusal = refusalOf(key, need, headers.get("origin"));
    if (refusal !== null) return refuse("forbidden", refusal);
    return await withEnvironment(key, headers.get(environmentHeader), directory);
  } catch (error) {
    console.error(JSON.stringify({ event: "key-directory-unavailable", error: String(error) }));
    return refuse("unavailable", "API keys cannot be checked at the moment; try again.", {
      retryAfterSeconds: 2,
    });
  }
}

function refusalOf(key: ApiKey, need: Need, origin: string | null): string | null {
  if (key.origins !== undefined && origin !== null && !key.origins.includes(origin)) {
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

async function withEnvironment(
  key: ApiKey,
  header: string | null,
  directory: KeyDirectory,
): Promise<Result<Principal>> {
  if (key.environment !== null) {
    return header === null
      ? ok({ key, environment: key.environment })
      : refuse("forbidden", `Only the installation's key may send ${environmentHeader}.`);
  }
  const name = header ?? defaultEnvironment;
  const environment = await directory.environmentOf(name);
  return environment === null
    ? refuse(
        "not-found",
        `${environmentHeader}: there is no environment ${name} (customer/environment).`,
      )
    : ok({ key, environment });
}
