/**
 * Whether a look is due, or may be taken because somebody asks for it. A refresh is not a look: between two looks nothing is decided.
 * Nothing here reads an outcome's effect, so that no look is timed by what it would find.
 */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import { ok, refuse } from "../contracts/problem.ts";
import type { Result } from "../contracts/problem.ts";
import { plannedUnits } from "../control/replan.ts";
import { hasEndedAsPlanned } from "../control/schedule.ts";
import { smallestAlpha } from "../stats/index.ts";
import type { LedgerRow, LookCause } from "./ledger.ts";
import { isProportion } from "./readings.ts";
import type { ReadingsByVariant } from "./readings.ts";

const dayMs = 24 * 3_600_000;
const hourMs = 3_600_000;
/** Beyond so many nothing is gained, and each costs more than the one before. */
const mostLooks = 100;
const leastUnitsToEnd = 50;
const leastExpectedToEnd = 10;

export interface LookInputs {
  phase: Phase;
  /** By primary metric, on matured units. */
  matured: ReadonlyMap<string, ReadingsByVariant>;
  /** Every row of the phase so far, oldest first. */
  ledger: readonly LedgerRow[];
  asOfMs: number;
  /** When the newest of the matured units had matured: a look needs newer ones than the last look had. */
  watermarkMs: number;
  /** Of the wall clock. */
  recordedAtMs: number;
  /** Whether units have yet to mature for some primary metric. */
  unmatured?: boolean;
}

export interface DueLook {
  cause: LookCause;
  /** Matured units over planned ones. */
  share: number;
  /** It spends all that is left. */
  last: boolean;
  /** Whether the normal approximation holds as deep in the tail as its bound may lie. */
  mayDecide: boolean;
}

export function primariesOf({ metrics }: Phase): PhaseMetric[] {
  return metrics.filter(({ role }) => role === "primary");
}

/** By the plan; null when none is. */
export function plannedLook(inputs: LookInputs): DueLook | null {
  if (!isNewer(inputs)) return null;
  const share = maturedShare(inputs);
  if (isPlannedEnd(inputs)) {
    return { cause: "planned", share, last: true, mayDecide: hasEnoughToEnd(inputs) };
  }
  const reached = planned(inputs, share, inputs.watermarkMs);
  if (reached <= plannedBefore(inputs)) return null;
  const last = share >= 1 || isLastDay(inputs.phase, reached);
  if (last) return { cause: "planned", share, last, mayDecide: hasEnoughToEnd(inputs) };
  return hasEnough(inputs) ? { cause: "planned", share, last, mayDecide: true } : null;
}

/** Because a person asks, or declares it the last one. Refused without new information, too soon after another, and on too little. */
export function askedLook(
  inputs: LookInputs,
  { cause }: { cause: Exclude<LookCause, "planned"> },
): Result<DueLook> {
  const { ledger, phase, asOfMs } = inputs;
  const closed = new Set(
    ledger
      .filter((row) => row.final || row.crossed)
      .map(({ metric, variant }) => `${metric} ${variant}`),
  );
  if (closed.size === primariesOf(phase).length * (phase.variants.length - 1)) {
    return refuse("not-possible", "No alpha is left: every ledger of this phase is closed.");
  }
  const before = ledger.at(-1);
  if (!isNewer(inputs)) {
    return refuse("not-possible", "No unit has matured since the last look.");
  }
  if (cause === "asked" && before !== undefined && asOfMs - before.takenAtMs < hourMs) {
    return refuse("not-possible", "A look was taken within the last hour; wait for more data.");
  }
  if (cause === "asked" && Math.max(0, ...ledger.map(({ look }) => look)) >= mostLooks - 1) {
    return refuse(
      "not-possible",
      `A phase has at most ${mostLooks} looks; the last is the plan's.`,
    );
  }
  const share = maturedShare(inputs);
  if (!hasEnough(inputs)) {
    const least = leastOf(phase);
    const detail = `There is too little data to decide on: it takes ${least} conversions, and as many that do not convert, in every variant (${least} units, for a mean or a ratio).`;
    return refuse("not-possible", detail);
  }
  const last = cause === "declared" || share >= 1;
  if (!last && !allowsInterim(phase)) {
    const detail =
      "A look before the end spends more by haybittle-peto than this plan has; send final: true to take the last one.";
    return refuse("not-possible", detail);
  }
  return ok({ cause, share, last, mayDecide: true });
}

/** Whether its alpha suffices for looks before the end: a plan of one look need not have so much. */
function allowsInterim({ plan: { ledgerAlpha, sides, spending } }: Phase): boolean {
  return ledgerAlpha > smallestAlpha({ fractions: [0.5], sides, spending });
}

function isNewer({ ledger, watermarkMs }: LookInputs): boolean {
  return !ledger.some((row) => row.watermarkMs >= watermarkMs);
}

/** Of the primary metric that has fewest, because a look is for the whole experiment. */
function maturedShare({ phase, matured }: LookInputs): number {
  const units = primariesOf(phase).map(({ key }) =>
    [...(matured.get(key)?.values() ?? [])].reduce((total, { n }) => total + n, 0),
  );
  return Math.min(...units) / plannedUnits(phase.plan);
}

/** How many planned looks have been reached: by units, or for calendar plans by days since the start. */
function planned({ phase }: LookInputs, share: number, atMs: number): number {
  const { looks } = phase.plan;
  if ("fractions" in looks)
    return looks.fractions.filter((fraction) => fraction <= share + 1e-12).length;
  const startMs = phase.running[0]?.[0] ?? atMs;
  const everyMs = looks.every === "day" ? dayMs : 7 * dayMs;
  const reached = Math.min(looks.count, Math.floor((atMs - startMs) / everyMs));
  return share >= 1 ? looks.count : Math.max(0, reached);
}

/** It ran to the stop that was scheduled when it started, and everybody has matured. */
function isPlannedEnd({ phase, matured, ledger, unmatured }: LookInputs): boolean {
  const isOpen = !ledger.some(({ final }) => final);
  return isOpen && !unmatured && matured.size > 0 && hasEndedAsPlanned(phase);
}

/** The end of a calendar was fixed before the data: whatever there is by then, the rest is spent. */
function isLastDay({ plan: { looks } }: Phase, reached: number): boolean {
  return "count" in looks && reached >= looks.count;
}

function plannedBefore(inputs: LookInputs): number {
  const last = inputs.ledger.at(-1);
  return last === undefined ? 0 : planned(inputs, last.inputs.maturedShare, last.watermarkMs);
}

/** Conversions and their absence, or units, a variant: see the tails of rare events and uneven splits in docs/statistics.md. */
function hasEnough(inputs: LookInputs): boolean {
  const { phase, matured } = inputs;
  const least = leastOf(phase);
  return primariesOf(phase).every((metric) =>
    [...(matured.get(metric.key)?.values() ?? [])].every(({ n, sums }) =>
      isProportion(metric) ? Math.min(sums.y, n - sums.y) >= least : n >= least,
    ),
  );
}

/** The last bound lies near 2, where the pooled test's tail is right as soon as a few conversions are expected. */
function hasEnoughToEnd({ phase, matured }: LookInputs): boolean {
  return primariesOf(phase).every((metric) => {
    const readings = [...(matured.get(metric.key)?.values() ?? [])];
    const units = readings.map(({ n }) => n);
    const smallest = Math.min(...units);
    if (!isProportion(metric)) return smallest >= leastUnitsToEnd;
    const all = units.reduce((sum, n) => sum + n, 0);
    const rate = readings.reduce((sum, { sums }) => sum + sums.y, 0) / all;
    return smallest * Math.min(rate, 1 - rate) >= leastExpectedToEnd;
  });
}

function leastOf({ variants }: Phase): number {
  const weights = variants.map(({ weightBasisPoints }) => weightBasisPoints);
  return Math.max(...weights) / Math.min(...weights) > 70 / 30 ? 400 : 100;
}
