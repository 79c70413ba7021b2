import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import type { Notice } from "../../contracts/notice.ts";
import { cronRunStore } from "../../stores/cron-runs.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { newEnvironment, requestOf } from "../../test/control-database.ts";
import { at } from "../../test/control-state.ts";
import { runSteps } from "./run-steps.ts";
import { watchPipeline } from "./watch-pipeline.ts";

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 14, 9);
const cronRuns = cronRunStore(env.CONTROL);

let told: Notice[] = [];
beforeEach(async () => {
  told = [];
  await env.CONTROL.prepare("delete from cron_runs").run();
});

const services = (nowMs: number) => ({
  cronRuns,
  webhooks: {
    tellAll(notice: Notice) {
      told.push(notice);
      return Promise.resolve();
    },
  },
  newId: () => "id",
  nowMs: () => nowMs,
});

const nothing = { name: "nothing", run: () => Promise.resolve() };

test("a step that fails keeps no other from running, is told, and fails the run in the end", async () => {
  const done: string[] = [];
  const step = (name: string) => ({
    name,
    run() {
      done.push(name);
      return name === "broken" ? Promise.reject(new Error("D1 is down")) : Promise.resolve();
    },
  });
  const steps = [step("first"), step("broken"), step("last")];
  await expect(runSteps(services(startMs), steps)).rejects.toThrow("broken: Error: D1 is down");
  expect(done).toEqual(["first", "broken", "last"]);
  expect(told).toMatchObject([
    { kind: "cron.failing", data: { failures: ["broken: Error: D1 is down"] } },
  ]);
});

test("failures of one hour have one key, so that they are told once in it", async () => {
  const broken = { name: "broken", run: () => Promise.reject(new Error("no")) };
  for (const minutes of [0, 1, 61]) {
    await expect(runSteps(services(startMs + minutes * minuteMs), [broken])).rejects.toThrow("no");
  }
  const keys = told.filter(({ key }) => key.includes("step")).map(({ key }) => key);
  expect(keys[0]).toBe(keys[1]);
  expect(keys[2]).not.toBe(keys[0]);
});

test("a silence of more than five minutes is told by the run that ends it, a minute between two is none", async () => {
  await runSteps(services(startMs), [nothing]);
  await runSteps(services(startMs + minuteMs), [nothing]);
  expect(told).toEqual([]);
  await runSteps(services(startMs + 8 * minuteMs), [nothing]);
  expect(told.map(({ summary }) => summary)).toEqual([
    expect.stringContaining("no run from 2026-01-14T09:01:00.000Z to 2026-01-14T09:08:00.000Z"),
  ]);
});

test("a run that never came to its end is told once it can no longer be under way", async () => {
  await cronRuns.begin(startMs);
  await runSteps(services(startMs + 16 * minuteMs), [nothing]);
  expect(told.map(({ summary }) => summary)).toEqual([
    expect.stringContaining("The run of 2026-01-14T09:00:00.000Z never came to its end"),
  ]);
});

test("events that have waited for more than five minutes are told, by shard", async () => {
  const backlog = (minutes: number) => ({
    messages: 7,
    bytes: 700,
    oldestAtMs: startMs - minutes * minuteMs,
  });
  const backlogs = () => Promise.resolve([null, backlog(4), backlog(6)]);
  await watchPipeline({ ...services(startMs), backlogs });
  expect(told).toMatchObject([
    { kind: "pipeline.lagging", data: { shard: 2, oldestAgeSeconds: 360, messages: 7 } },
  ]);
});

test("what is about no environment goes to each that asks for it, under an id of its own", async () => {
  const store = webhookStore(env.CONTROL);
  const environments = [await newEnvironment(env.CONTROL), await newEnvironment(env.CONTROL)];
  for (const [index, environment] of environments.entries()) {
    await store.add(requestOf(environment), {
      id: `cron-hook-${index}`,
      url: "https://hooks.acme.com",
      events: index === 0 ? ["cron.failing"] : ["boundary.crossed"],
      createdAt: at,
      secret: "whsec_c2VjcmV0",
    });
  }
  const notice: Notice = {
    id: "cron-1",
    key: "cron/step/1",
    kind: "cron.failing",
    at,
    experiment: null,
    summary: "The cron is failing.",
    data: {},
  };
  await store.tellAll(notice);
  await store.tellAll({ ...notice, id: "cron-2" });
  const deliveries = async (index: number) =>
    (await store.webhook(environments[index] ?? "", `cron-hook-${index}`))?.deliveries;
  expect(await deliveries(0)).toMatchObject([{ event: `cron-1-${environments[0]}` }]);
  expect(await deliveries(1)).toEqual([]);
});
