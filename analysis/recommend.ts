/**
 * What to do, and why in one sentence. Only looks decide: a treatment ships when one of its primary metrics crossed favourably,
 * none unfavourably, and every guardrail passes. A sample-ratio mismatch blocks every verdict.
 */

import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import type {
  ComparisonResult,
  MetricResult,
  Recommendation,
  SampleRatioResult,
} from "../contracts/results.ts";

export function recommend(
  phase: Phase,
  metrics: readonly MetricResult[],
  ratio: SampleRatioResult,
): Recommendation {
  if (ratio.mismatch) {
    return {
      action: "investigate",
      variant: null,
      because: `The variants' shares of units differ from the planned ones (evidence ${Math.exp(ratio.logEvidence).toPrecision(3)} to 1), so something in assignment or exposure is broken and no result can be trusted.`,
    };
  }
  const verdicts = phase.variants
    .map(({ variant }) => variant)
    .filter((variant) => variant !== phase.control)
    .map((variant) => verdictOn(phase, metrics, variant));
  return (
    verdicts.find(({ action }) => action === "ship") ??
    verdicts.find(({ action }) => action === "continue") ??
    verdicts[0] ?? { action: "continue", variant: null, because: "There is no treatment." }
  );
}

function verdictOn(
  phase: Phase,
  metrics: readonly MetricResult[],
  variant: string,
): Recommendation {
  const readings = metrics.flatMap((metric) => {
    const definition = phase.metrics.find(({ key }) => key === metric.metric);
    const comparison = metric.comparisons.find((one) => one.variant === variant);
    const controlMean = metric.variants[phase.control]?.mean ?? null;
    return definition && comparison ? [{ definition, comparison, controlMean }] : [];
  });
  const primaries = readings.filter(({ definition }) => definition.role === "primary");
  const harmed = primaries.find((reading) => crossedIn(reading) === "unfavourable");
  if (harmed !== undefined) {
    return {
      action: "revert",
      variant,
      because: `${variant} crossed the boundary on ${harmed.definition.key} in the undesired direction.`,
    };
  }
  const won = primaries.find((reading) => crossedIn(reading) === "favourable");
  if (won !== undefined) return shipUnlessGuarded(variant, won.definition.key, readings);
  if (primaries.every(({ comparison }) => isClosed(phase, comparison))) {
    return {
      action: "revert",
      variant,
      because: `The plan is complete and ${variant} crossed no boundary: keep the control.`,
    };
  }
  return {
    action: "continue",
    variant: null,
    because: "No boundary has been crossed and looks remain.",
  };
}

/** All alpha of the ledger is spent: there is no later look. */
function isClosed({ plan }: Phase, { sequential }: ComparisonResult): boolean {
  const spent = sequential?.looks.at(-1)?.alphaSpent ?? 0;
  return spent >= plan.ledgerAlpha * (1 - 1e-9);
}

interface Read {
  definition: PhaseMetric;
  comparison: ComparisonResult;
  controlMean: number | null;
}

function crossedIn({ definition, comparison }: Read): "favourable" | "unfavourable" | null {
  const look = comparison.sequential?.looks.find(({ crossed }) => crossed);
  if (look === undefined || look.z === null) return null;
  const isUp = look.z > 0;
  return isUp === (definition.direction === "increase") ? "favourable" : "unfavourable";
}

function shipUnlessGuarded(variant: string, metric: string, readings: Read[]): Recommendation {
  const failing = readings.find(
    (reading) => reading.definition.role === "guardrail" && !passes(reading),
  );
  return failing === undefined
    ? {
        action: "ship",
        variant,
        because: `${variant} crossed the boundary on ${metric} in the desired direction and every guardrail passes.`,
      }
    : {
        action: "investigate",
        variant,
        because: `${variant} crossed the boundary on ${metric}, but the guardrail ${failing.definition.key} does not pass.`,
      };
}

/** With a margin the whole interval must lie inside it; without one no harm may have been shown. */
function passes({ definition, comparison, controlMean }: Read): boolean {
  const margin = definition.maxRelativeHarm ?? 0;
  if (comparison.alwaysValid === null) return margin === 0;
  const [lower, upper] = comparison.alwaysValid.confidenceSequence;
  const [leastHarm, mostHarm] =
    definition.direction === "increase" ? [-upper, -lower] : [lower, upper];
  if (margin === 0) return leastHarm <= 0;
  return controlMean !== null && mostHarm < margin * Math.abs(controlMean);
}
