import { expect, test } from "vitest";
import type { Fetcher } from "@cloudflare/workers-types";
import type { ExposureEvent } from "../counting/types.ts";
import { apiEvents, apiSnapshots } from "./config-api.ts";

/** The API as a service binding that answers what a test tells it to, and remembers what it was asked. */
function api(answer: (request: Request, nth: number) => Response | Promise<Response>) {
  const requests: Request[] = [];
  const service = {
    fetch: async (url: string, init: RequestInit) => {
      const request = new Request(url, init);
      requests.push(request.clone());
      return await answer(request, requests.length);
    },
  } as unknown as Fetcher;
  return { api: { key: "ew_server_x", service }, requests };
}

const snapshotText = (version: number) =>
  JSON.stringify({
    formatVersion: 1,
    environment: "e.1",
    version,
    flags: [],
    experiments: [],
    holdouts: [],
    segments: [],
  });
const later = () => {};
const config = (version: number) =>
  new Response(snapshotText(version), { headers: { etag: `"e.1.${version}"` } });

test("the configuration is read with the key, and again only when it has changed", async () => {
  const { api: given, requests } = api((_request, nth) =>
    nth === 2 ? new Response(null, { status: 304 }) : config(nth),
  );
  const snapshots = apiSnapshots(given);
  const work: Promise<unknown>[] = [];
  const versionAt = async (nowMs: number) => {
    const served = await snapshots.get("", nowMs, (each) => work.push(each));
    await Promise.all(work);
    return served?.published.version;
  };
  expect(await versionAt(0)).toBe(1);
  expect(requests[0]?.url).toBe("https://edgewise/api/v1/config");
  expect(requests[0]?.headers.get("authorization")).toBe("Bearer ew_server_x");
  expect(requests[0]?.headers.get("if-none-match")).toBeNull();
  expect(await versionAt(10_000)).toBe(1);
  expect(requests[1]?.headers.get("if-none-match")).toBe('"e.1.1"');
  expect(await versionAt(20_000)).toBe(1);
  expect(await versionAt(20_001)).toBe(3);
  expect(requests).toHaveLength(3);
});

test.each([
  ["is refused", () => new Response("{}", { status: 401 })],
  ["fails", () => Promise.reject(new Error("unreachable"))],
  ["is another environment's", () => new Response(snapshotText(1), { headers: { etag: '"x.1"' } })],
  ["is no JSON", () => new Response("<html>", { headers: { etag: '"e.1.1"' } })],
])("a configuration that %s rejects while there is none", async (_name, answer) => {
  await expect(apiSnapshots(api(answer).api).get("", 0, later)).rejects.toThrow();
});

const exposure = (n: number): ExposureEvent => ({
  type: "exposure",
  experiment: "x",
  phase: 2,
  variant: "v",
  kind: "targetingKey",
  unit: `u${n}`,
  timeMs: Date.UTC(2026, 0, 1),
  source: "edge",
  attributes: { device: "mobile" },
});
const send = (given: ReturnType<typeof api>["api"], count: number) =>
  apiEvents(given).send({
    environment: "e",
    version: 1,
    receivedAtMs: 0,
    events: Array.from({ length: count }, (_, n) => exposure(n)),
  });

test("exposures are posted as the API takes them, a thousand at once", async () => {
  const { api: given, requests } = api(() => Response.json({ accepted: 1, rejected: [] }));
  await send(given, 2_500);
  const bodies = await Promise.all(
    requests.map(async (request) => await request.json<{ events: object[] }>()),
  );
  expect(bodies.map(({ events }) => events.length)).toEqual([1_000, 1_000, 500]);
  expect(bodies[0]?.events[0]).toEqual({
    type: "exposure",
    experiment: "x",
    phase: 2,
    variant: "v",
    unit: "u0",
    timestamp: "2026-01-01T00:00:00.000Z",
    attributes: { device: "mobile" },
  });
  expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual(
    Array.from({ length: 3 }, () => "POST https://edgewise/api/v1/events/batch"),
  );
});

test.each([
  ["refuses", () => new Response("{}", { status: 503 })],
  ["takes only some", () => Response.json({ accepted: 0, rejected: [{ index: 0 }] })],
  ["cannot be reached", () => Promise.reject(new Error("unreachable"))],
])("sending rejects when the API %s", async (_name, answer) => {
  await expect(send(api(answer).api, 1)).rejects.toThrow();
});
