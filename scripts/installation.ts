/**
 * What an installation needs in CONTROL before anybody can call it: an environment and the installation's key.
 * SQL text, so that the local runner and `wrangler d1 execute` run the same. KV follows: the cron publishes what lags.
 */

import { createHash, randomBytes } from "node:crypto";
import { v7 as uuid } from "uuid";

export function newAdminKey(): string {
  return `ew_admin_${randomBytes(24).toString("hex")}`;
}

/** Why a key cannot be the installation's, or null. */
export function adminKeyFault(key: string): string | null {
  return /^ew_[\w-]{1,200}$/.test(key)
    ? null
    : "an admin key starts with ew_ and has up to 200 more letters, digits, '_' or '-'";
}

/** The environment that the installation's key is for unless a request names another. */
export const defaultEnvironment = "default/production" as const;

/** Makes `customer/environment`, both plain slugs, unless it exists. */
export function environmentSql(name: `${string}/${string}`): string[] {
  const [customer, environment] = name.split("/");
  const at = new Date().toISOString();
  return [
    `insert into customers (id, key, name, created_at) values ('${uuid()}', '${customer}', '${customer}', '${at}') on conflict do nothing`,
    `insert into environments (id, customer_id, key, name, version, published_version, created_at)
     select '${uuid()}', id, '${environment}', '${environment}', 1, 0, '${at}' from customers where key = '${customer}' on conflict do nothing`,
  ];
}

/** Makes `key` the installation's, and the only one. */
export function adminKeySql(key: string): string[] {
  const fault = adminKeyFault(key);
  if (fault !== null) throw new RangeError(fault);
  const hash = createHash("sha256").update(key).digest("hex");
  const at = new Date().toISOString();
  return [
    `update api_keys set revoked_at = '${at}', published = 0 where environment_id is null and hash <> '${hash}' and revoked_at is null`,
    `insert into api_keys (id, environment_id, kind, role, name, hash, created_at, published)
     values ('${uuid()}', null, 'admin', 'admin', 'installation', '${hash}', '${at}', 0)
     on conflict (hash) do update set revoked_at = null, published = 0`,
  ];
}

/** Makes `key` a server key of the environment, and the only one of its name, a plain slug. */
export function serverKeySql(
  environment: `${string}/${string}`,
  { name, key }: { name: string; key: string },
): string[] {
  const [customerKey, environmentKey] = environment.split("/");
  const hash = createHash("sha256").update(key).digest("hex");
  const at = new Date().toISOString();
  const id = `(select e.id from environments e join customers c on c.id = e.customer_id where c.key = '${customerKey}' and e.key = '${environmentKey}')`;
  return [
    `update api_keys set revoked_at = '${at}', published = 0 where environment_id = ${id} and name = '${name}' and hash <> '${hash}' and revoked_at is null`,
    `insert into api_keys (id, environment_id, kind, name, hash, created_at, published)
     select '${uuid()}', ${id}, 'server', '${name}', '${hash}', '${at}', 0 where true on conflict (hash) do nothing`,
  ];
}
