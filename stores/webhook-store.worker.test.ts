import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Notice } from "../contracts/notice.ts";
import { newEnvironment, requestOf } from "../test/control-database.ts";
import { webhookStore } from "./webhook-store.ts";

const store = webhookStore(env.CONTROL);
const long = "2001-02-03T00:00:00.000Z";
const since = "2001-02-04T00:00:00.000Z";

/** An environment with a webhook for every notice; ids begin with the environment's. */
async function hooked(createdAt = long) {
  const environment = await newEnvironment(env.CONTROL);
  const id = `${environment}-hook`;
  const webhook = { id, url: "https://hooks.acme.com/x", events: ["cron.failing" as const] };
  await store.add(requestOf(environment), { ...webhook, createdAt, secret: "whsec_c2VjcmV0" });
  const tell = (name: string, at: string) =>
    store.tell(environment, {
      id: `${environment}-${name}`,
      key: name,
      kind: "cron.failing",
      at,
      experiment: null,
      summary: name,
      data: {},
    } satisfies Notice);
  const delivered = (name: string) =>
    store.delivered({ notice: `${environment}-${name}`, webhook: id, attempts: 1 }, since);
  const left = async (table: "notices" | "deliveries", column: string) => {
    const sql = `SELECT ${column} AS id FROM ${table} WHERE ${column} LIKE ? ORDER BY 1`;
    const { results } = await env.CONTROL.prepare(sql)
      .bind(`${environment}-%`)
      .all<{ id: string }>();
    return results.map((row) => row.id.slice(environment.length + 1));
  };
  return { environment, webhook: { ...webhook, createdAt }, tell, delivered, left };
}

test("old notices go with their deliveries; those with an attempt to come, and newer ones, stay", async () => {
  const { tell, delivered, left } = await hooked();
  await tell("done", long);
  await tell("waiting", long);
  await tell("new", since);
  await delivered("done");
  await delivered("new");
  expect(await store.removeBefore(since)).toBe(false);
  expect(await left("notices", "id")).toEqual(["new", "waiting"]);
  expect(await left("deliveries", "notice")).toEqual(["new", "waiting"]);
});

test("a webhook that was removed long ago goes when no delivery names it any more, and with it its secret", async () => {
  const { environment, webhook, tell, left } = await hooked();
  const idsLeft = async () => {
    const sql = "SELECT id FROM webhooks WHERE environment_id = ?";
    return (await env.CONTROL.prepare(sql).bind(environment).all()).results;
  };
  await tell("old", since);
  await store.remove({ ...requestOf(environment), at: long }, webhook);
  await store.removeBefore(since);
  expect(await idsLeft()).toEqual([{ id: webhook.id }]);
  expect(await store.removeBefore("2001-02-04T00:00:00.001Z")).toBe(false);
  expect(await left("notices", "id")).toEqual([]);
  expect(await idsLeft()).toEqual([]);
});

test("a step removes 500 at most and says that there may be more", async () => {
  const { environment, left } = await hooked();
  await env.CONTROL.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
     INSERT INTO notices (id, environment_id, key, kind, at, body) SELECT ?1 || '-' || i, ?1, i, 'cron.failing', ?2, '{}' FROM n`,
  )
    .bind(environment, long)
    .run();
  expect(await store.removeBefore(since)).toBe(true);
  expect(await left("notices", "id")).toHaveLength(101);
  expect(await store.removeBefore(since)).toBe(false);
  expect(await left("notices", "id")).toEqual([]);
});
