/**
 * One run of the cron: its steps one after another, each whatever became of the others. What fails is told to whoever asked for it, once an hour, and so
 * is that the run before this one never ended, or that there was none for a while.
 */

import type { Notice } from "../../contracts/notice.ts";
import type { CronRun, CronRunStore } from "../../stores/cron-runs.ts";
import type { WebhookStore } from "../../stores/webhook-store.ts";

export interface RunServices {
  cronRuns: CronRunStore;
  webhooks: Pick<WebhookStore, "tellAll">;
  newId: () => string;
  nowMs: () => number;
}

export interface Step {
  name: string;
  run: () => Promise<void>;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** The platform ends a run after so long. */
const longestRunMs = 15 * minuteMs;
/** Of runs a minute apart, so many may be late or left out. */
const longestSilenceMs = 5 * minuteMs;

/** Rejects in the end when a step has, so that the platform, too, shows the run as failed. */
export async function runSteps(services: RunServices, steps: readonly Step[]): Promise<void> {
  const { cronRuns, nowMs } = services;
  const startedAtMs = nowMs();
  const failures: string[] = [];
  const attempt = async ({ name, run }: Step) => {
    try {
      await run();
    } catch (error) {
      failures.push(`${name}: ${String(error).slice(0, 500)}`);
      console.error(
        JSON.stringify({ event: "cron-step-failed", step: name, error: String(error) }),
      );
    }
  };
  await attempt({
    name: "cron",
    run: async () => {
      const silence = silenceOf(await cronRuns.begin(startedAtMs), startedAtMs);
      if (silence !== null) await tell(services, "silence", [silence]);
    },
  });
  for (const step of steps) await attempt(step);
  if (failures.length > 0)
    await attempt({ name: "told", run: () => tell(services, "step", failures) });
  await attempt({ name: "finish", run: () => cronRuns.finish(nowMs()) });
  if (failures.length > 0) throw new Error(failures.join("; "));
}

function silenceOf(before: CronRun | null, nowMs: number): string | null {
  if (before === null) return null;
  const sinceMs = nowMs - before.startedAtMs;
  const isDead = before.finishedAtMs === null && sinceMs > longestRunMs;
  if (isDead) return `The run of ${isoOf(before.startedAtMs)} never came to its end.`;
  return before.finishedAtMs !== null && sinceMs > longestSilenceMs
    ? `There was no run from ${isoOf(before.startedAtMs)} to ${isoOf(nowMs)}.`
    : null;
}

async function tell(
  { webhooks, newId, nowMs }: RunServices,
  what: string,
  failures: readonly string[],
): Promise<void> {
  const now = nowMs();
  const notice: Notice = {
    id: newId(),
    key: `cron/${what}/${Math.floor(now / hourMs)}`,
    kind: "cron.failing",
    at: isoOf(now),
    experiment: null,
    summary: `The cron is failing. ${failures.join("; ")}`,
    data: { failures },
  };
  await webhooks.tellAll(notice);
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
