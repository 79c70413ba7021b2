/**
 * Guardrails, watched at every refresh: an always-valid test of harm beyond the margin for each guardrail and treatment, on units whose
 * window has closed, at alpha / (guardrails × treatments). After an alarm the watch begins anew with units that nobody had met yet, at its full level:
 * the probability of any false alarm is that of a first one, which the level bounds.
 */

import type { Breach, Phase, PhaseMetric } from "../contracts/phase.ts";
import type { GuardrailResult, Interval } from "../contracts/results.ts";
import { matured } from "../counting/aggregate.ts";
import type { CohortRow, CohortRows } from "../counting/aggregate.ts";
import { asymptoticConfidenceSequence } from "../stats/index.ts";
import { excessHarm } from "./excess-harm.ts";
import { allUnits, describe, readingOf, readingsOf } from "./readings.ts";
import type { ReadingsByVariant } from "./readings.ts";

const hourMs = 3_600_000;
/** An alarm takes so long to reach those who assign, and what was shown before it is still being reported. */
const settlingMs = 5 * 60_000;

export interface Watched {
  phase: Phase;
  /** The treatment. */
  variant: string;
  metric: PhaseMetric;
  readings: ReadingsByVariant;
}

/** Harm less `margin`, with the interval that holds at all refreshes at once. */
export function harmSequence(
  { phase, variant, metric, readings }: Watched,
  margin: number,
): { estimate: number; pValue: number; interval: Interval } | null {
  const excess = excessHarm(metric, {
    control: readingOf(readings, phase.control),
    treatment: readingOf(readings, variant),
    margin,
  });
  if (excess === null) return null;
  const { pValue, confidenceInterval } = asymptoticConfidenceSequence({
    ...excess,
    alpha: guardrailAlpha(phase),
    // A tenth of the plan, fixed before the data: harm should be noticed early.
    plannedN: Math.ceil(phase.plan.maximumSampleSize / 10),
  });
  return pValue === null || confidenceInterval === null
    ? null
    : { estimate: excess.estimate, pValue, interval: confidenceInterval };
}

function guardrailAlpha({ metrics, variants, plan }: Phase): number {
  const guardrails = metrics.filter(({ role }) => role === "guardrail").length;
  return plan.alpha / (guardrails * (variants.length - 1));
}

/** With a margin the whole interval must lie inside it; without one no harm may have been shown, ever. */
export function guardrailResult(watched: Watched): GuardrailResult {
  const { phase, metric, variant } = watched;
  const maxRelativeHarm = metric.maxRelativeHarm ?? 0;
  const excess = harmSequence(watched, maxRelativeHarm)?.interval ?? null;
  const breaches = breachesOf(phase, metric.key, variant);
  const isKept =
    maxRelativeHarm === 0 ? excess === null || excess[0] <= 0 : excess !== null && excess[1] < 0;
  return {
    maxRelativeHarm,
    excessSequence: excess,
    alarms: breaches.map(({ atMs, watchesFromMs, evidence }) => ({
      at: new Date(atMs).toISOString(),
      excess: evidence.excess,
      excessSequence: evidence.excessInterval,
      watchedAgainFrom: new Date(watchesFromMs).toISOString(),
    })),
    passes: breaches.length === 0 && isKept,
  };
}

function breachesOf(phase: Phase, metric: string, variant: string): Breach[] {
  return (phase.breaches ?? []).filter((one) => one.metric === metric && one.variant === variant);
}

/** Alarms that are not yet in the phase: each goes off once on the same data. */
export function guardrailAlarms(
  phase: Phase,
  rows: CohortRows,
  { asOfMs, nowMs }: { asOfMs: number; nowMs: number },
): Breach[] {
  const variants = phase.variants.map(({ variant }) => variant);
  const all = allUnits(rows);
  return phase.metrics
    .filter(({ role }) => role === "guardrail")
    .flatMap((metric) =>
      variants
        .filter((variant) => variant !== phase.control)
        .flatMap((variant): Breach[] => {
          const fromMs = breachesOf(phase, metric.key, variant).at(-1)?.watchesFromMs ?? 0;
          const watched = matured(since(all, fromMs), [metric], asOfMs);
          const readings = readingsOf(metric.key, variants, watched);
          const maxRelativeHarm = metric.maxRelativeHarm ?? 0;
          const harm = harmSequence({ phase, variant, metric, readings }, maxRelativeHarm);
          if (harm === null || harm.interval[0] <= 0) return [];
          const figures = (of: string) => {
            const { n, mean } = describe(metric, readingOf(readings, of));
            return { n, mean: mean ?? 0 };
          };
          return [
            {
              metric: metric.key,
              variant,
              atMs: asOfMs,
              recordedAtMs: nowMs,
              watchesFromMs: Math.ceil((asOfMs + settlingMs) / hourMs) * hourMs,
              evidence: {
                alpha: guardrailAlpha(phase),
                maxRelativeHarm,
                watchedFromMs: fromMs,
                control: figures(phase.control),
                treatment: figures(variant),
                excess: harm.estimate,
                excessInterval: [harm.interval[0], harm.interval[1]],
              },
            },
          ];
        }),
    );
}

/** Cohorts that begin then or later; what was rolled up across that instant is left out, because nobody can tell its units apart. */
function since(rows: CohortRows, fromMs: number): CohortRows {
  if (fromMs === 0) return rows;
  const isNew = ({ cohortStart }: CohortRow) => cohortStart * hourMs >= fromMs;
  return { populations: rows.populations.filter(isNew), cells: rows.cells.filter(isNew) };
}

/** One sentence with the numbers: for the audit log and whoever is told. */
export function breachSentence({ metric, variant, evidence }: Breach): string {
  const { control, treatment, maxRelativeHarm, alpha, excessInterval } = evidence;
  const figure = (value: number) => value.toPrecision(4);
  const change = treatment.mean / control.mean - 1;
  const relative = Number.isFinite(change)
    ? ` (${change < 0 ? "" : "+"}${(100 * change).toFixed(1)} %)`
    : "";
  const limit =
    maxRelativeHarm === 0 ? "no harm is allowed" : `${100 * maxRelativeHarm} % harm is allowed`;
  return `The guardrail ${metric} of ${variant} is ${figure(treatment.mean)} of ${treatment.n} units against ${figure(control.mean)} of ${control.n}${relative}; ${limit}, and it is beyond that by at least ${figure(excessInterval[0])} (always-valid, ${figure(100 * (1 - alpha))} %).`;
}
