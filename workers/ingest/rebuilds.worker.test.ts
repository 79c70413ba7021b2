import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { hashSecret } from "../../contracts/api-key.ts";
import type { ApiKey } from "../../contracts/api-key.ts";
import { configKeys } from "../../contracts/config-keys.ts";
import { createApp } from "../../http/app.ts";
import { keyStore } from "../../stores/key-store.ts";
import { rebuildStore } from "../../stores/rebuild-store.ts";
import { start } from "../../test/checkout-events.ts";
import { rebuildRoutes } from "./rebuilds.ts";

const secrets = { installation: "ew_admin_installation", admin: "ew_admin_of_e" };
const shards = [rebuildStore(env.METRICS_0), rebuildStore(env.METRICS_1)];
const id = "019b8b74-1800-7441-9a0e-000000000001";

async function post(body: object, key: keyof typeof secrets = "installation") {
  for (const name of ["installation", "admin"] as const) {
    const environment = name === "admin" ? "e" : null;
    const stored: ApiKey = { v: 1, id: name, kind: "admin", role: "admin", environment };
    const hash = await hashSecret(secrets[name]);
    await env.CONFIG.put(configKeys.apiKey(hash), JSON.stringify(stored));
  }
  await env.CONFIG.put(configKeys.environment("default/production"), "e");
  const services = { keys: keyStore(env.CONFIG), shards, nowMs: () => start, newId: () => id };
  const app = createApp<object>().route("/rebuilds", rebuildRoutes(services));
  const response = await app.request("/rebuilds", {
    method: "POST",
    headers: { authorization: `Bearer ${secrets[key]}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

test("a rebuild is asked for in every shard that has none under way, with the installation's key and a reason", async () => {
  expect((await post({ reason: "new metric" }, "admin")).status).toBe(403);
  expect((await post({})).status).toBe(400);
  await shards[0]?.request("019b8b74-1800-7441-9a0e-000000000000", "daily", start);
  expect(await post({ reason: "new metric" })).toEqual({
    status: 202,
    body: {
      id,
      reason: "new metric",
      shards: [
        { shard: 0, requested: false },
        { shard: 1, requested: true },
      ],
    },
  });
  expect(await shards[1]?.last()).toMatchObject({ id, reason: "new metric", status: "emptying" });
});
