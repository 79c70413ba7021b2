import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compile, evaluate } from "../../core/index.ts";
import { nowMs, shop, googlebot, snapshotOf, appOf, publishAll } from "../../test/worker-eval.ts";

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await publishAll();
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("environments", () => {
  test("with the same experiment key and unit share no snapshot, key or answer", async () => {
    const { ask, exposed } = appOf();
    const units = Array.from({ length: 200 }, (_, i) => `u${i}`);
    const variants = async (secret: string) =>
      Promise.all(
        units.map(async (targetingKey) => {
          const { body } = await ask({
            secret,
            body: { context: { targetingKey }, flags: ["checkout"] },
          });
          return typeof body === "string" ? body : body.flags["checkout"];
        }),
      );
    const [ours, theirs] = [await variants("ew_server"), await variants("ew_other")];
    for (const [environment, answers] of [
      ["e", ours],
      ["other", theirs],
    ] as const) {
      const alone = compile(
        snapshotOf(environment, environment === "e" ? {} : { salt: "another" }),
      );
      const expected = units.map((targetingKey) => evaluate(alone, "checkout", { targetingKey }));
      expect(answers).toMatchObject(expected.map(({ variant, value }) => ({ variant, value })));
    }
    expect(ours).not.toEqual(theirs);
    expect(Map.groupBy(exposed, ({ environment }) => environment).get("e")).toHaveLength(200);
  });

  test("are the key's, and no header names another", async () => {
    const { ask } = appOf();
    const headers = { "x-edgewise-environment": "default/other" };
    expect((await ask({ headers })).status).toBe(403);
  });
});

describe("a server key's context is used as given", () => {
  test("a bot's user agent and a foreign cf change no assignment, and the exposure is counted", async () => {
    const { ask, exposed } = appOf();
    const plain = await ask();
    const strange = await ask({ headers: { "user-agent": googlebot }, cf: { country: "JP" } });
    expect(strange.body).toEqual(plain.body);
    expect(exposed).toHaveLength(2);
    expect(exposed[1]).toEqual(exposed[0]);
    expect(exposed[1]?.exposures[0]).toMatchObject({ source: "server", attributes: {} });
  });

  test.each([
    [{}, "evaluate"],
    [{ "x-edgewise-sdk": "shop-app/2.1" }, "shop-app/2.1"],
    [{ "x-edgewise-sdk": "not a name" }, "evaluate"],
    [{ "x-edgewise-sdk": "x".repeat(65) }, "evaluate"],
  ])("an exposure of a request with %j says that it came by %s", async (headers, sdk) => {
    const { ask, exposed } = appOf();
    expect((await ask({ headers })).status).toBe(200);
    expect(exposed[0]?.exposures[0]).toMatchObject({ sdk });
  });

  test("a context that says bot exposes nobody", async () => {
    const { ask, exposed } = appOf();
    const body = { context: { targetingKey: "u", bot: true }, flags: ["checkout"] };
    expect((await ask({ body })).status).toBe(200);
    expect(exposed).toEqual([]);
  });
});

describe("a client key's context is completed", () => {
  test("from cf and the user agent, and the exposure carries its dimensions", async () => {
    const { ask, exposed } = appOf();
    await ask({ secret: "ew_client", cf: { country: "JP" }, headers: { "user-agent": "Mobile" } });
    expect(exposed[0]?.exposures[0]).toMatchObject({
      source: "client",
      attributes: { country: "JP", device: "mobile" },
    });
  });

  test("a bot is served like anybody, exposed to nothing and told of no experiment to report", async () => {
    const { ask, exposed } = appOf();
    const person = await ask({ secret: "ew_client" });
    const bot = await ask({ secret: "ew_client", headers: { "user-agent": googlebot } });
    const flagOf = ({ body }: typeof bot) =>
      typeof body === "string" ? {} : body.flags["checkout"];
    expect(flagOf(person)).toMatchObject({ experiment: "checkout", phase: 1 });
    const { value, variant, reason } = flagOf(person) as Record<string, unknown>;
    expect(flagOf(bot)).toEqual({ value, variant, reason });
    expect(exposed).toHaveLength(1);
  });
});

describe("origins", () => {
  test("a preflight is answered for any page, before there is a key", async () => {
    const { ask } = appOf();
    for (const path of [
      "/api/v1/evaluate",
      "/ofrep/v1/evaluate/flags",
      "/ofrep/v1/evaluate/flags/x",
    ]) {
      const { status, headers } = await ask({ method: "OPTIONS", path, headers: { origin: shop } });
      expect({ status, headers }).toMatchObject({
        status: 204,
        headers: {
          "access-control-allow-origin": "*",
          "access-control-allow-methods": "POST",
          "access-control-allow-headers": expect.stringContaining("authorization"),
        },
      });
    }
  });

  test("an allowed page may read the answer and its etag, version and retry-after", async () => {
    const { ask } = appOf();
    const { status, headers } = await ask({ secret: "ew_shop", headers: { origin: shop } });
    expect({ status, headers }).toMatchObject({
      status: 200,
      headers: {
        "access-control-allow-origin": shop,
        vary: "origin",
        "access-control-expose-headers": "age, etag, retry-after, x-edgewise-version, x-request-id",
      },
    });
  });

  test("any other page is refused, and may not even read why; who is no page is not concerned", async () => {
    const { ask, exposed } = appOf();
    const refused = await ask({ secret: "ew_shop", headers: { origin: "https://evil.example" } });
    expect(refused.status).toBe(403);
    expect(refused.headers).not.toHaveProperty("access-control-allow-origin");
    expect(exposed).toEqual([]);
    expect((await ask({ secret: "ew_shop" })).status).toBe(200);
  });

  test("a server key's answer is granted to no page", async () => {
    const { headers } = await appOf().ask({ headers: { origin: shop } });
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });

  test("a page may read that its key is unknown", async () => {
    const { status, headers } = await appOf().ask({ secret: "ew_no", headers: { origin: shop } });
    expect(status).toBe(401);
    expect(headers).toMatchObject({ "access-control-allow-origin": shop });
  });
});

describe("when there is trouble", () => {
  const down = {
    get: () => Promise.reject(new Error("KV is down")),
    getWithMetadata: () => Promise.reject(new Error("KV is down")),
  } as unknown as KVNamespace;

  test("a cold isolate without KV answers 503 with a body and when to ask again", async () => {
    const { status, headers, body } = await appOf({ kv: down }).ask();
    expect({ status, body }).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(headers["retry-after"]).toBe("2");
  });

  test("so does one that knows the key alone", async () => {
    const kv = { ...down, get: (...asked: [string]) => env.CONFIG.get(...asked) } as never;
    expect((await appOf({ kv }).ask()).status).toBe(503);
  });

  test("a warm isolate goes on answering for hours, marked STALE, with its version and age", async () => {
    const watched = { down: false };
    const now = () => (watched.down ? down : env.CONFIG);
    const kv = {
      get: (...asked: [string]) => now().get(...asked),
      getWithMetadata: (...asked: [string]) => now().getWithMetadata(...asked),
    } as unknown as KVNamespace;
    const { ask, clock } = appOf({ kv });
    const before = await ask();
    watched.down = true;
    for (let minutes = 1; minutes <= 180; minutes += 10) {
      clock.nowMs = nowMs + minutes * 60_000;
      expect((await ask()).status).toBe(200);
    }
    const { headers, body } = await ask();
    expect(body).toEqual(
      JSON.parse(JSON.stringify(before.body).replace('"reason":"SPLIT"', '"reason":"STALE"')),
    );
    expect(headers).toMatchObject({ "x-edgewise-version": "7", age: "10260" });
  });

  test("a key that asks too often gets 429 and when to ask again", async () => {
    const { status, headers, body } = await appOf({ waitSeconds: 9 }).ask();
    expect({ status, body }).toMatchObject({ status: 429, body: { code: "rate-limited" } });
    expect(headers["retry-after"]).toBe("9");
  });
});

describe("exposures", () => {
  const bodies = {
    "named flags": [{ context: { targetingKey: "u" }, flags: ["checkout", "plain"] }, 1],
    "exposures: false": [
      { context: { targetingKey: "u" }, flags: ["checkout"], exposures: false },
      0,
    ],
    "no named flags, a prefetch": [{ context: { targetingKey: "u" } }, 0],
    "a flag that no experiment assigns": [{ context: { targetingKey: "u" }, flags: ["plain"] }, 0],
  } as const;

  test.each(Object.entries(bodies))("of %s", async (_name, [body, count]) => {
    const { ask, exposed } = appOf();
    expect((await ask({ body })).status).toBe(200);
    expect(exposed.flatMap(({ exposures }) => exposures)).toHaveLength(count);
  });

  test("a dimension is cut to 100 characters, and what is cut through is left out", async () => {
    const { ask, exposed } = appOf();
    const country = `${"x".repeat(99)}\u{1f600}`;
    await ask({ body: { context: { targetingKey: "u", country }, flags: ["checkout"] } });
    const attribute = exposed[0]?.exposures[0]?.attributes?.["country"];
    expect(attribute).toBe("x".repeat(99));
  });
});

const strange = {
  "prototype keys": '{"__proto__": {"targetingKey": "x"}, "constructor": 1}',
  "a targetingKey that is a list": '{"targetingKey": ["u"]}',
  "an infinite number": '{"targetingKey": 1e999}',
  "deep nesting": `{"targetingKey": "u", "a": ${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
  "ill-formed text": String.raw`{"targetingKey": "\ud800"}`,
  "a long string": `{"targetingKey": "${"x".repeat(200_000)}"}`,
};

test.each(Object.entries(strange))("a context with %s is answered", async (_name, context) => {
  const body = `{"context": ${context}, "flags": ["checkout", "__proto__", "no_such"]}`;
  const { ask } = appOf();
  const asked = { body: JSON.parse(body) as object };
  const answer = await ask(asked);
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ flags: { no_such: { errorCode: "FLAG_NOT_FOUND" } } });
  expect(Object.keys((answer.body as { flags: object }).flags)).toEqual([
    "checkout",
    "__proto__",
    "no_such",
  ]);
});

test("an evaluation carries the caller's request id, if it gave one; a refusal always has one", async () => {
  const { ask } = appOf();
  const id = "x-request-id";
  expect((await ask({ headers: { [id]: "mine-1" } })).headers[id]).toBe("mine-1");
  expect((await ask({ headers: { [id]: "<b>" } })).headers).not.toHaveProperty(id);
  const refused = await ask({ secret: "ew_no", headers: { [id]: "<b>" } });
  expect(refused.headers[id]).toMatch(/^[\da-f-]{36}$/);
  expect((await ask({ secret: "ew_no", headers: { [id]: "mine-2" } })).headers[id]).toBe("mine-2");
});

test("what is not this worker's own is forwarded", async () => {
  const { ask } = appOf();
  for (const path of ["/api/v1/experiments", "/api/v1/events/batch", "/", "/no/such"]) {
    expect((await ask({ path })).status).toBe(418);
  }
});
