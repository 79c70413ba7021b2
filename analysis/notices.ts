/** What a look, or a refresh, gives to tell: pure, written in the transaction of what it is about. Each thing is told once, by its key. */

import type { Notice } from "../contracts/notice.ts";
import type { Phase } from "../contracts/phase.ts";
import type { SampleRatioResult } from "../contracts/results.ts";
import type { LedgerRow } from "./ledger.ts";

const mostSuspects = 5;

interface About {
  experiment: string;
  phase: Phase;
  asOfMs: number;
  newId: () => string;
}

/** @param ledger every row of the phase, those of this look among them */
export function lookNotices(
  about: About,
  look: readonly LedgerRow[],
  ledger: readonly LedgerRow[],
): Notice[] {
  const { experiment, phase } = about;
  const crossings = look.filter(({ crossed }) => crossed);
  const notices = crossings.map((row): Notice => {
    const { metric, variant, z, boundary, inputs, inference } = row;
    return {
      ...base(about),
      key: `boundary/${experiment}/${phase.phase}/${metric}/${variant}`,
      kind: "boundary.crossed",
      summary: `${variant} crossed the boundary on ${metric} at look ${row.look} (z ${figure(z)}, boundary ${figure(boundary)}).`,
      data: {
        phase: phase.phase,
        metric,
        variant,
        look: row.look,
        z,
        boundary,
        effect: inputs.effect,
        repeatedConfidenceInterval: inference.repeatedConfidenceInterval,
      },
    };
  });
  if (look.length === 0 || !isComplete(phase, ledger)) return notices;
  return [
    ...notices,
    {
      ...base(about),
      key: `complete/${experiment}/${phase.phase}`,
      kind: "plan.completed",
      summary: `The plan of ${experiment} is complete: no look remains.`,
      data: { phase: phase.phase, crossed: ledger.some(({ crossed }) => crossed) },
    },
  ];
}

/** Every ledger is closed, by its last look or by crossing. */
function isComplete({ metrics, variants, control }: Phase, ledger: readonly LedgerRow[]): boolean {
  return metrics
    .filter(({ role }) => role === "primary")
    .every(({ key }) =>
      variants
        .filter(({ variant }) => variant !== control)
        .every(({ variant }) =>
          ledger.some(
            (row) => row.metric === key && row.variant === variant && (row.final || row.crossed),
          ),
        ),
    );
}

/** At the refresh at which it is first seen. */
export function mismatchNotices(about: About, ratio: SampleRatioResult): Notice[] {
  const { experiment, phase } = about;
  if (!ratio.mismatch) return [];
  const { observed, expected, pValue, logEvidence } = ratio;
  const suspects = ratio.suspects.slice(0, mostSuspects);
  return [
    {
      ...base(about),
      key: `mismatch/${experiment}/${phase.phase}`,
      kind: "sample-ratio.mismatched",
      summary: `Units of ${experiment} do not arrive in the planned shares: decisions are blocked.`,
      data: { phase: phase.phase, observed, expected, pValue, logEvidence, suspects },
    },
  ];
}

function base({ experiment, asOfMs, newId }: About) {
  return { id: newId(), at: new Date(asOfMs).toISOString(), experiment };
}

function figure(value: number | null): string {
  return value === null ? "none" : value.toFixed(3);
}
