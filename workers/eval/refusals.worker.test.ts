import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { shop, appOf, publishAll } from "../../test/worker-eval.ts";

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await publishAll();
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("a name that is said often is evaluated and exposed once", async () => {
  const { ask, exposed } = appOf();
  const flags = Array.from({ length: 1_000 }, () => "checkout");
  const answer = await ask({ body: { context: { targetingKey: "u" }, flags } });
  expect(answer.body).toMatchObject({ flags: { checkout: { reason: "SPLIT" } } });
  expect(exposed.flatMap(({ exposures }) => exposures)).toHaveLength(1);
});

test.each([
  ["GET", "/api/v1/evaluate", "POST"],
  ["PUT", "/api/v1/explain", "POST"],
  ["POST", "/api/v1/config", "GET"],
])("%s %s is not allowed, and the answer says what is", async (method, path, allowed) => {
  const { status, headers, body } = await appOf().ask({ method, path });
  expect({ status, body }).toMatchObject({ status: 405, body: { code: "method-not-allowed" } });
  expect(headers["allow"]).toBe(allowed);
});

test("a refusal to a server key is granted to no page", async () => {
  const { ask } = appOf();
  const asked = { headers: { origin: shop }, body: { context: 5 } };
  const grant = "access-control-allow-origin";
  const [server, client] = [await ask(asked), await ask({ ...asked, secret: "ew_shop" })];
  expect([server.status, client.status]).toEqual([400, 400]);
  expect([server.headers[grant], client.headers[grant]]).toEqual([undefined, shop]);
});

test("what is explained is what is evaluated: an experiment's fields, and no exposure of a bot", async () => {
  const { ask } = appOf();
  for (const context of [{ targetingKey: "u" }, { targetingKey: "u", bot: true }]) {
    const body = { context, flags: ["checkout"] };
    const evaluated = await ask({ body: { ...body, exposures: false } });
    const explained = await ask({ path: "/api/v1/explain", body });
    expect(explained.body).toMatchObject(evaluated.body as object);
    expect("experiment" in (explained.body as { flags: { checkout: object } }).flags.checkout).toBe(
      !("bot" in context),
    );
  }
  const both = { context: {}, flag: "checkout", flags: ["plain"] };
  expect((await ask({ path: "/api/v1/explain", body: both })).status).toBe(400);
});
