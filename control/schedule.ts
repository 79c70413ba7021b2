/** The steps of a schedule: what is wrong with one, which is due, and another one for an experiment. Pure. */

import type { Phase } from "../contracts/phase.ts";
import { ok, refuse, refuseFields } from "../contracts/problem.ts";
import type { FieldError, Result } from "../contracts/problem.ts";
import type { Schedule } from "../contracts/schedule.ts";
import type { ExperimentStep } from "./change-experiment.ts";
import type { Decision, EnvironmentState } from "./environment-state.ts";
import { isUnfinished } from "./experiment.ts";
import type { ExperimentRecord } from "./experiment.ts";

/** @param traffic that the experiment has without it */
export function scheduleErrors(
  { start, stop, ramp = [] }: Schedule,
  { traffic, pointer }: { traffic: number; pointer: string },
): FieldError[] {
  const errors: FieldError[] = [];
  if (start !== undefined && stop !== undefined && Date.parse(stop) <= Date.parse(start)) {
    errors.push({ pointer: `${pointer}/stop`, detail: "The stop comes after the start." });
  }
  let before = { atMs: start === undefined ? -Infinity : Date.parse(start), traffic };
  for (const [index, step] of ramp.entries()) {
    const atMs = Date.parse(step.at);
    if (atMs <= before.atMs) {
      const detail = "Steps come one after another, and after the start.";
      errors.push({ pointer: `${pointer}/ramp/${index}/at`, detail });
    }
    if (step.traffic <= before.traffic) {
      const detail = `Each step takes more units than the ${before.traffic} % before it.`;
      errors.push({ pointer: `${pointer}/ramp/${index}/traffic`, detail });
    }
    if (stop !== undefined && atMs >= Date.parse(stop)) {
      const detail = "Steps come before the stop.";
      errors.push({ pointer: `${pointer}/ramp/${index}/at`, detail });
    }
    before = { atMs, traffic: step.traffic };
  }
  return errors;
}

/** One at a time, so that a step that was missed is not skipped; null when none is due. A paused experiment is not ramped. */
export function dueStep(
  { status, body }: Pick<ExperimentRecord, "status" | "body">,
  nowMs: number,
): ExperimentStep | null {
  const { start, stop, ramp = [] } = body.schedule ?? {};
  const isPast = (at: string | undefined) => at !== undefined && Date.parse(at) <= nowMs;
  const because = (what: string, at = "") => ({ reason: `Scheduled ${what}: ${at}` });
  if (status === "draft") {
    return isPast(start) && !isPast(stop) ? { action: "start", ...because("start", start) } : null;
  }
  if (status !== "running" && status !== "paused") return null;
  if (isPast(stop)) return { action: "complete", ...because("stop", stop) };
  const next = ramp.find(({ traffic }) => traffic > body.traffic);
  return status === "running" && next !== undefined && isPast(next.at)
    ? { action: "ramp", traffic: next.traffic, ...because("ramp", next.at) }
    : null;
}

/** That it ran to the end which was planned when it started: what is left of alpha may be spent there. */
export function hasEndedAsPlanned({ plannedEndMs, running }: Phase): boolean {
  const endedMs = running.at(-1)?.[1] ?? null;
  return plannedEndMs !== undefined && endedMs !== null && endedMs >= plannedEndMs;
}

export function reschedule(
  state: EnvironmentState,
  key: string,
  { schedule, reason, at }: { schedule: Schedule | null; reason?: string; at: string },
): Result<Decision<ExperimentRecord>> {
  const before = state.experiments.find((record) => record.key === key);
  if (before === undefined) return refuse("not-found", `There is no experiment ${key}.`);
  if (!isUnfinished(before)) {
    return refuse(
      "not-possible",
      `${key} is ${before.status}; nothing of it is scheduled any more.`,
    );
  }
  const { schedule: _before, ...body } = before.body;
  const done = (schedule?.ramp ?? []).filter((step) => step.traffic <= body.traffic);
  const traffic = done.length > 0 ? 0 : body.traffic;
  const errors =
    schedule === null ? [] : scheduleErrors(schedule, { traffic, pointer: "/schedule" });
  if (errors.length > 0) return refuseFields(errors);
  const record = {
    ...before,
    body: { ...body, ...(schedule !== null && { schedule }) },
    version: before.version + 1,
    updatedAt: at,
  };
  return ok({
    action: "schedule",
    ...(reason !== undefined && { reason }),
    writes: [{ entity: "experiment", record }],
    value: record,
  });
}
