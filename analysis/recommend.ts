/**
 * What to do, and why in one sentence. Only looks decide: a treatment ships when one of its primary metrics crossed favourably,
 * none unfavourably, and every guardrail passes. A sample-ratio mismatch blocks every verdict.
 */

import type { ExperimentStatus, Phase, PhaseMetric } from "../contracts/phase.ts";
import type {
  ComparisonResult,
  MetricResult,
  Recommendation,
  SampleRatioResult,
  Verdict,
} from "../contracts/results.ts";

/** The most pressing first: a treatment that goes on never hides another that does harm. */
const urgency = ["ship", "harm", "investigate", "continue", "futile", "complete"] as const;

interface Judged {
  verdict: Verdict;
  urgency: (typeof urgency)[number];
}

export function recommend(
  { phase, status }: { phase: Phase; status: ExperimentStatus },
  metrics: readonly MetricResult[],
  ratio: SampleRatioResult,
): Recommendation {
  const variants = phase.variants
    .map(({ variant }) => variant)
    .filter((variant) => variant !== phase.control);
  if (ratio.mismatch) {
    const because = `The variants' shares of units differ from the planned ones (evidence ${Math.exp(ratio.logEvidence).toPrecision(3)} to 1), so something in assignment or exposure is broken and no result can be trusted${whereToLook(ratio)}.`;
    const blocked = (variant: string | null) =>
      ({ action: "investigate", variant, because }) as const;
    return { ...blocked(null), byVariant: variants.map(blocked) };
  }
  const judged = variants.map((variant) => judge({ phase, status }, metrics, variant));
  const [first] = urgency.flatMap((level) => judged.filter((one) => one.urgency === level));
  const verdict = first?.verdict ?? {
    action: "continue" as const,
    variant: null,
    because: "There is no treatment.",
  };
  const isOpen = verdict.action === "continue";
  return {
    ...verdict,
    variant: isOpen ? null : verdict.variant,
    byVariant: judged.map((one) => one.verdict),
  };
}

function whereToLook({ suspects }: SampleRatioResult): string {
  const [first] = suspects;
  return first === undefined ? "" : `; look first at ${first.dimension} ${first.value}`;
}

function judge(
  { phase, status }: { phase: Phase; status: ExperimentStatus },
  metrics: readonly MetricResult[],
  variant: string,
): Judged {
  const readings = metrics.flatMap((metric) => {
    const definition = phase.metrics.find(({ key }) => key === metric.metric);
    const comparison = metric.comparisons.find((one) => one.variant === variant);
    return definition && comparison ? [{ definition, comparison }] : [];
  });
  const primaries = readings.filter(({ definition }) => definition.role === "primary");
  const harmed = primaries.find((reading) => crossedIn(reading) === "unfavourable");
  if (harmed !== undefined) {
    const because = `${variant} crossed the boundary on ${harmed.definition.key} in the undesired direction.`;
    return { urgency: "harm", verdict: { action: "revert", variant, because } };
  }
  const won = primaries.find((reading) => crossedIn(reading) === "favourable");
  if (won !== undefined) return shipUnlessGuarded(variant, won.definition.key, readings);
  const alarmed = readings.find(({ comparison }) => (comparison.guardrail?.alarms.length ?? 0) > 0);
  // Whoever resumed it has overruled the alarm, with a reason.
  if (alarmed !== undefined && status === "paused") {
    const because = `The guardrail ${alarmed.definition.key} showed that ${variant} does more harm than is allowed, and the experiment is paused.`;
    return { urgency: "harm", verdict: { action: "revert", variant, because } };
  }
  if (primaries.every(({ comparison }) => isClosed(phase, comparison))) {
    const because = `The plan is complete and ${variant} crossed no boundary: keep the control.`;
    return { urgency: "complete", verdict: { action: "revert", variant, because } };
  }
  if (primaries.every(({ comparison }) => comparison.sequential?.looks.at(-1)?.futile === true)) {
    const because = `${variant} is below the futility boundary at the last look: it is unlikely to show the effect that the plan is for. Going on costs no alpha.`;
    return { urgency: "futile", verdict: { action: "stop-futility", variant, because } };
  }
  const because = "No boundary has been crossed and looks remain.";
  return { urgency: "continue", verdict: { action: "continue", variant, because } };
}

/** All alpha of the ledger is spent: there is no later look. */
function isClosed({ plan }: Phase, { sequential }: ComparisonResult): boolean {
  const spent = sequential?.looks.at(-1)?.alphaSpent ?? 0;
  return spent >= plan.ledgerAlpha * (1 - 1e-9);
}

interface Read {
  definition: PhaseMetric;
  comparison: ComparisonResult;
}

function crossedIn({ definition, comparison }: Read): "favourable" | "unfavourable" | null {
  const look = comparison.sequential?.looks.find(({ crossed }) => crossed);
  if (look === undefined || look.z === null) return null;
  const isUp = look.z > 0;
  return isUp === (definition.direction === "increase") ? "favourable" : "unfavourable";
}

function shipUnlessGuarded(variant: string, metric: string, readings: readonly Read[]): Judged {
  const failing = readings.find(({ comparison }) => comparison.guardrail?.passes === false);
  if (failing === undefined) {
    const because = `${variant} crossed the boundary on ${metric} in the desired direction and every guardrail passes.`;
    return { urgency: "ship", verdict: { action: "ship", variant, because } };
  }
  const because = `${variant} crossed the boundary on ${metric}, but the guardrail ${failing.definition.key} does not pass.`;
  return { urgency: "investigate", verdict: { action: "investigate", variant, because } };
}
