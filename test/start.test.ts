/** `npm start` as a person uses it: options, refusals in one clear line, Ctrl-C, and nothing lost when it is killed. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod/mini";
import { callControls } from "../scripts/local/control-socket.ts";

const adminKey = "ew_admin_start_test_key";

let folder: string;
const running = new Set<Started>();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewise-start-"));
});
afterEach(async () => {
  for (const started of running) killGroup(started);
  running.clear();
  await rm(folder, { recursive: true, force: true });
});

interface Started {
  child: ChildProcess;
  /** Everything printed so far. */
  output: () => string;
  ended: Promise<number | null>;
}

function start(...options: string[]): Started {
  const child = spawn("node", ["scripts/start.ts", ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that all of it can be killed at once.
    detached: true,
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  const ended = new Promise<number | null>((done) => child.once("exit", done));
  const started = { child, output: () => text, ended };
  running.add(started);
  return started;
}

async function printed(started: Started, pattern: RegExp): Promise<string> {
  return await new Promise((found, failed) => {
    const look = () => {
      const match = pattern.exec(started.output());
      if (match) found(match[0]);
    };
    started.child.stdout?.on("data", look);
    void started.ended.then((code) => failed(new Error(`ended with ${code}: ${started.output()}`)));
    look();
  });
}

/** The runner and its workerd, as a crash of the machine would. */
function killGroup({ child }: Started): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const asAdmin = (url: string, path: string, body?: object) =>
  fetch(`${url}/api/v1${path}`, {
    headers: { authorization: `Bearer ${adminKey}` },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });

test.each([
  ["an unknown option", ["--prot", "1"], /--prot/],
  ["a port that is none", ["--port", "99999"], /--port must be a whole number from 1 to 65535/],
  ["no seconds", ["--cron-seconds", "0"], /--cron-seconds must be a whole number/],
  [
    "an admin key of the wrong form",
    ["--admin-key", "secret"],
    /--admin-key: an admin key starts with ew_/,
  ],
])("%s is refused in one line", async (_name, options, message) => {
  const started = start("--data", folder, ...options);
  expect(await started.ended).toBe(2);
  expect(started.output().trim().split("\n")).toHaveLength(1);
  expect(started.output()).toMatch(message);
});

test("a taken port is refused in one line that says what to do", async () => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
  const started = start("--data", folder, "--port", String(port));
  expect(await started.ended).toBe(2);
  expect(started.output().trim()).toBe(
    `port ${port} is taken; stop what uses it, or choose another with --port`,
  );
  await new Promise((closed) => server.close(closed));
});

test("a state folder that is none is refused in one line that names it", async () => {
  await writeFile(join(folder, "state"), "not a folder");
  const started = start("--data", folder, "--port", String(await freePort()), "--no-demo");
  expect(await started.ended).toBe(2);
  expect(started.output().trim().split("\n")).toHaveLength(1);
  expect(started.output()).toContain(folder);
});

test("the demo can be evaluated at once with the key that is printed, and a second start on the folder is refused", async () => {
  const started = start("--data", folder, "--port", String(await freePort()));
  const command = await printed(started, /curl [^\n]+\n[^\n]+\n/);
  const url = /http:\/\/\S+/.exec(command)?.[0] ?? "";
  const key = /Bearer (\w+)/.exec(command)?.[1] ?? "";
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ context: { targetingKey: "visitor-1" }, flags: ["checkout_button"] }),
  });
  expect(await response.json()).toMatchObject({
    flags: { checkout_button: { reason: "SPLIT", experiment: "checkout_button" } },
  });

  const second = start("--data", folder, "--port", String(await freePort()));
  expect(await second.ended).toBe(2);
  expect(second.output()).toContain(`is running on ${folder} already`);
});

test("Ctrl-C ends it cleanly, and the next start has everything, the admin key too", async () => {
  const port = String(await freePort());
  const first = start("--data", folder, "--port", port, "--admin-key", adminKey, "--no-demo");
  const url = await printed(first, /http:\/\/[\d.:]+/);
  const metric = { key: "kept", type: "mean", event: "kept" };
  expect((await asAdmin(url, "/metrics", metric)).status).toBe(201);
  first.child.kill("SIGINT");
  expect(await first.ended).toBe(0);

  const second = start("--data", folder, "--port", port, "--no-demo");
  await printed(second, /Edgewise runs at/);
  expect(second.output()).not.toContain("Admin key");
  expect(await (await asAdmin(url, "/metrics")).json()).toMatchObject({
    metrics: [{ key: "kept" }],
  });
});

test.each([
  // workerd is left behind and may have folded the events by the next start.
  ["of the runner alone", (started: Started) => started.child.kill("SIGKILL"), /Edgewise runs at/],
  ["of everything at once", killGroup, /\d+ queued messages of the last run were sent again/],
])(
  "events that were acknowledged and still queued survive a SIGKILL %s",
  async (_name, kill, sentAgain) => {
    const port = String(await freePort());
    const options = ["--data", folder, "--port", port, "--admin-key", adminKey, "--no-demo"];
    const first = start(...options);
    const url = await printed(first, /http:\/\/[\d.:]+/);
    await asAdmin(url, "/metrics", { key: "m", type: "proportion", event: "m", windowHours: 1 });
    await asAdmin(url, "/experiments", {
      key: "killed",
      variants: [
        { key: "a", weight: 50, value: "A", isControl: true },
        { key: "b", weight: 50, value: "B" },
      ],
      metrics: { primary: ["m"] },
      plan: { maximumSampleSize: 1_000 },
    });
    await asAdmin(url, "/experiments/killed/start", {});
    const timestamp = new Date().toISOString();
    const events = Array.from({ length: 500 }, (_, i) => ({
      type: "exposure",
      experiment: "killed",
      variant: i % 2 === 0 ? "a" : "b",
      unit: `u${i}`,
      timestamp,
    }));
    const sent = await asAdmin(url, "/events/batch", { events });
    expect(await sent.json()).toMatchObject({ accepted: 500, rejected: [] });
    kill(first);
    await first.ended;

    const second = start(...options);
    await printed(second, sentAgain);
    await callControls(folder, "/drained");
    await callControls(folder, `/tick?at=${new Date().toISOString()}`);
    const results = z.parse(
      z.object({ sampleRatio: z.object({ observed: z.unknown() }) }),
      await (await asAdmin(url, "/experiments/killed/results")).json(),
    );
    expect(results.sampleRatio.observed).toEqual({ a: 250, b: 250 });
  },
);
