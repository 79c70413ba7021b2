import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { htmlOf, onPages, published, unitsIn, visitBy } from "../test/worker-pages.ts";
import { edgewise, withEdgewise } from "./index.ts";
import type { EdgewiseOptions } from "./index.ts";

const page = `<html><head></head><body><h1>Old</h1></body></html>`;
const headline = onPages("headline", {
  control: [],
  treatment: [{ action: "text", selector: "h1", text: "New" }],
});
const [treated = ""] = unitsIn("treatment", headline);

const logged: unknown[] = [];
beforeEach(() => {
  logged.length = 0;
  vi.spyOn(console, "error").mockImplementation((line) => {
    logged.push(JSON.parse(String(line)));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function options(): Promise<EdgewiseOptions> {
  const { name } = await published([headline]);
  return {
    config: { kv: env.CONFIG, environment: name },
    exposures: { queues: [env.EVENTS_0, env.EVENTS_1] },
  };
}

/** The answer, when all that it left behind is done. */
async function asked(
  fetch: (
    request: Request,
    bindings: object,
    context: ExecutionContext,
  ) => Response | Promise<Response>,
  request: Request,
) {
  const context = createExecutionContext();
  const response = await fetch(request, bindings, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  return { response, text };
}

const bindings = {};

test("as middleware of a Hono app: its routes' pages are edited, their cookies and status stay", async () => {
  const given = await options();
  const app = new Hono<{ Bindings: object }>().use(edgewise(() => given)).get("/", (c) => {
    c.header("set-cookie", "a=1", { append: true });
    c.header("set-cookie", "b=2", { append: true });
    c.header("etag", '"v1"');
    return c.html(page, 201);
  });
  const known = await asked(app.fetch, visitBy(treated));
  expect(known.text).toBe(page.replace("Old", "New"));
  expect(known.response.status).toBe(201);
  expect(known.response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(known.response.headers.get("etag")).toBeNull();
  const { response } = await asked(app.fetch, new Request("https://shop.example/"));
  expect(response.headers.getSetCookie()).toEqual([
    "a=1",
    "b=2",
    expect.stringMatching(/^edgewise_visitor=/),
  ]);
});

test.each([
  ["POST", "of a write with its conditions", '"x"'],
  ["GET", "of a page without them", null],
])("as middleware: a %s reads the visitor's request, %s", async (method, _how, condition) => {
  const given = await options();
  const app = new Hono<{ Bindings: object }>()
    .use(edgewise(() => given))
    .all("/", async (c) =>
      c.json({ body: await c.req.text(), condition: c.req.header("if-none-match") ?? null }),
    );
  const request = new Request("https://shop.example/", {
    method,
    ...(method === "POST" && { body: "order" }),
    headers: { "if-none-match": '"x"' },
  });
  const { response, text } = await asked(app.fetch, request);
  expect(JSON.parse(text)).toEqual({ body: method === "POST" ? "order" : "", condition });
  expect(response.headers.getSetCookie()).toEqual([]);
});

test("as middleware of an app that is called in its own tests", async () => {
  const given = await options();
  const app = new Hono<{ Bindings: object }>()
    .use(edgewise(() => given))
    .get("/", (c) => c.html(page));
  const response = await app.request(visitBy(treated), {}, {});
  expect(await response.text()).toBe(page.replace("Old", "New"));
});

test("around a fetch handler: options are asked for once an isolate", async () => {
  const given = await options();
  const optionsOf = vi.fn<() => EdgewiseOptions>(() => given);
  const fetch = withEdgewise(() => htmlOf(page), optionsOf);
  for (let n = 0; n < 3; n++) {
    expect((await asked(fetch, visitBy(treated))).text).toBe(page.replace("Old", "New"));
  }
  expect(optionsOf).toHaveBeenCalledTimes(1);
});

test("options that cannot be used leave the site as it is, and are told of", async () => {
  const answer = htmlOf(page);
  const fetch = withEdgewise(
    () => answer,
    () => {
      throw new Error("a binding is missing");
    },
  );
  const context = createExecutionContext();
  expect(await fetch(visitBy(treated), {}, context)).toBe(answer);
  const app = new Hono<{ Bindings: object }>()
    .use(
      edgewise(() => {
        throw new Error("a binding is missing");
      }),
    )
    .get("/", (c) => c.html(page));
  expect((await asked(app.fetch, visitBy(treated))).text).toBe(page);
  expect(logged).toMatchObject([
    { event: "edgewise-options-unusable" },
    { event: "edgewise-options-unusable" },
  ]);
});

test.each([{ cookie: "" }, { cookieName: "my cookie" }, { cookieName: "" }, { header: "a:b" }])(
  "%j names nothing that a request has: such options cannot be used",
  async (visitor) => {
    const given = await options();
    const fetch = withEdgewise(
      () => htmlOf(page),
      () => ({ ...given, visitor }),
    );
    expect((await asked(fetch, visitBy(treated))).text).toBe(page);
    expect(logged).toMatchObject([
      { event: "edgewise-options-unusable", error: expect.stringContaining("no name of a cookie") },
    ]);
  },
);

test("an origin that throws throws, as without the middleware", async () => {
  const given = await options();
  const fetch = withEdgewise(
    () => {
      throw new Error("the site's own");
    },
    () => given,
  );
  await expect(fetch(visitBy(treated), {}, createExecutionContext())).rejects.toThrow(
    "the site's own",
  );
});
