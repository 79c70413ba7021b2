/** What the cron does on its own and whom it tells: a guardrail's breach pauses, crossings and mismatches are sent to webhooks. */

import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod/mini";
import { startSystem } from "./harness.ts";
import type { System } from "./harness.ts";

const hourMs = 3_600_000;

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

let system: System;
let receiver: Server;
let received: Received[] = [];
/** What the receiver answers next; 204 when it is empty. */
let answers: number[] = [];
let address: string;

beforeAll(async () => {
  system = await startSystem();
  receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      response.writeHead(answers.shift() ?? 204).end();
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, "127.0.0.1", listening));
  const at = receiver.address();
  if (at === null || typeof at === "string") throw new Error("no port");
  address = `http://127.0.0.1:${at.port}/edgewise`;
});
afterAll(async () => {
  await new Promise((closed) => receiver.close(closed));
  await system.destroy();
});

const post = (path: string, body: object) =>
  system.expectOk(z.looseObject({}), system.call("POST", `/api/v1${path}`, { body }));

/** Exposes `n` units to each variant and lets the given share of them do each thing. */
async function expose(
  experiment: string,
  wave: string,
  variants: Record<string, { n: number; does: Record<string, number> }>,
): Promise<void> {
  const timestamp = new Date().toISOString();
  const events = Object.entries(variants).flatMap(([variant, { n, does }]) =>
    Array.from({ length: n }, (_, i) => {
      const unit = `${experiment}-${wave}-${variant}-${i}`;
      const exposure = { type: "exposure", experiment, variant, unit, timestamp };
      const outcomes = Object.entries(does)
        .filter(([, share]) => i < share * n)
        .map(([name]) => ({ type: "outcome", id: `${name}-${unit}`, name, unit, timestamp }));
      return [exposure, ...outcomes];
    }).flat(),
  );
  for (let start = 0; start < events.length; start += 1_000) {
    await post("/events/batch", { events: events.slice(start, start + 1_000) });
  }
  await system.runner.drained();
}

async function define(experiment: string): Promise<void> {
  const metric = { type: "proportion", windowHours: 1 };
  await post("/metrics", { key: `${experiment}_bought`, event: `${experiment}_buy`, ...metric });
  const error = { key: `${experiment}_error`, event: `${experiment}_fail`, direction: "decrease" };
  await post("/metrics", { ...metric, ...error });
  await post("/experiments", {
    key: experiment,
    variants: [
      { key: "a", weight: 50, value: "A", isControl: true },
      { key: "b", weight: 50, value: "B" },
    ],
    metrics: {
      primary: [`${experiment}_bought`],
      guardrail: [{ metric: `${experiment}_error`, maxRelativeHarm: 0.1 }],
    },
    plan: { maximumSampleSize: 10_000, looks: 5 },
  });
  await post(`/experiments/${experiment}/start`, {});
}

const tick = (hours: number) => system.runner.tick(new Date(Date.now() + hours * hourMs));

const statusOf = async (experiment: string) =>
  (
    await system.expectOk(
      z.object({ status: z.string() }),
      system.call("GET", `/api/v1/experiments/${experiment}`),
    )
  ).status;

const parsed = ({ body }: Received) =>
  z.parse(z.looseObject({ id: z.string(), type: z.string() }), JSON.parse(body));

test("a guardrail's breach pauses the experiment, is told, signed, and not told again; a person resumes it with a reason", async () => {
  const { secret } = z.parse(
    z.looseObject({ secret: z.string() }),
    await post("/webhooks", { url: address, events: ["guardrail.breached"] }),
  );
  await define("harmed");
  const name = "harmed_fail";
  await expose("harmed", "1", {
    a: { n: 900, does: { [name]: 0.1 } },
    b: { n: 900, does: { [name]: 0.3 } },
  });
  received = [];
  answers = [503];
  await tick(3);
  expect(await statusOf("harmed")).toBe("paused");
  const { body: audit } = await system.call("GET", "/api/v1/audit?limit=1");
  expect(audit).toMatchObject({
    entries: [
      {
        actor: "cron",
        action: "pause",
        entityKey: "harmed",
        reason: expect.stringMatching(/harmed_error of b is 0\.3000 of 900 units against 0\.1000/),
      },
    ],
  });

  await tick(3.02);
  expect(received).toHaveLength(1);
  const [first] = received;
  if (first === undefined) throw new Error("nothing was sent");
  const { headers, body } = first;
  const id = String(headers["webhook-id"]);
  const signed = `${id}.${String(headers["webhook-timestamp"])}.${body}`;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  expect(headers["webhook-signature"]).toBe(
    `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
  );
  expect(parsed(first)).toMatchObject({
    id,
    type: "guardrail.breached",
    experiment: "harmed",
    data: { metric: "harmed_error", variant: "b", evidence: { treatment: { n: 900, mean: 0.3 } } },
  });

  expect((await system.call("POST", "/api/v1/experiments/harmed/resume")).status).toBe(400);
  await post("/experiments/harmed/resume", { reason: "the page counted retries; fixed" });
  await tick(4);
  expect(await statusOf("harmed")).toBe("running");
});

test("a boundary that is crossed and a sample-ratio mismatch are told to the webhooks that ask for them", async () => {
  const events = ["boundary.crossed", "sample-ratio.mismatched"];
  const { id } = z.parse(
    z.looseObject({ id: z.string() }),
    await post("/webhooks", { url: address, events }),
  );
  await define("won");
  await expose("won", "1", {
    a: { n: 1_500, does: { won_buy: 0.1 } },
    b: { n: 1_500, does: { won_buy: 0.3 } },
  });
  await define("skewed");
  await expose("skewed", "1", { a: { n: 600, does: {} }, b: { n: 200, does: {} } });
  received = [];
  await tick(3);
  await tick(3.02);
  await tick(3.04);
  const kinds = received.map(
    (each) => `${String(parsed(each)["experiment"])} ${parsed(each).type}`,
  );
  expect(kinds.toSorted()).toEqual(["skewed sample-ratio.mismatched", "won boundary.crossed"]);
  const shown = await system.call("GET", `/api/v1/webhooks/${id}`);
  expect(shown.body).toMatchObject({
    url: address,
    deliveries: [{ attempts: 1, lastError: null }, { attempts: 1 }],
  });
  expect(JSON.stringify(shown.body)).not.toContain("whsec_");
});

test("webhooks are listed, replaced and removed by admins; inner addresses are refused", async () => {
  const viewer = await system.newKey("admin", { role: "editor" });
  const listed = await system.call("GET", "/api/v1/webhooks", { key: viewer });
  expect(listed.status).toBe(403);
  for (const url of ["http://hooks.acme.com/", "https://10.0.0.1/", "nowhere"]) {
    const answer = await system.call("POST", "/api/v1/webhooks", { body: { url } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: "/url" }] } });
  }
  const made = await post("/webhooks", { url: "https://hooks.acme.com/one" });
  const path = `/api/v1/webhooks/${String(made["id"])}`;
  const body = { url: "https://hooks.acme.com/two", events: ["cron.failing"] };
  expect((await system.call("PUT", path, { body })).body).toMatchObject(body);
  expect((await system.call("DELETE", path)).status).toBe(204);
  expect((await system.call("GET", path)).status).toBe(404);
  expect((await system.call("DELETE", path)).status).toBe(404);
});
