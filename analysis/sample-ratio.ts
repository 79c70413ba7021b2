/** Whether units arrive in the shares that were planned: χ² for the reader, an e-process for the alarm, since it is read at every refresh. */

import type { Phase } from "../contracts/phase.ts";
import type { SampleRatioResult } from "../contracts/results.ts";
import { sampleRatioTest, sequentialSampleRatioTest } from "../stats/index.ts";

/** Evidence of 1/0.001 blocks decisions. */
export const alarmLogEvidence = Math.log(1 / 0.001);

/** @param largestBefore log evidence of earlier refreshes: once alarmed, always alarmed */
export function sampleRatio(
  { variants }: Phase,
  units: ReadonlyMap<string, number>,
  largestBefore: number,
): Omit<SampleRatioResult, "suspects"> {
  const observed = variants.map(({ variant }) => units.get(variant) ?? 0);
  const weights = variants.map(({ weightBasisPoints }) => weightBasisPoints);
  const { statistic, degreesOfFreedom, pValue } = sampleRatioTest({ observed, weights });
  const now = sequentialSampleRatioTest({ observed, weights });
  const logEvidence = Math.max(largestBefore, now.logEvidence);
  return {
    observed: Object.fromEntries(variants.map(({ variant }, i) => [variant, observed[i] ?? 0])),
    expected: Object.fromEntries(
      variants.map(({ variant, weightBasisPoints }) => [variant, weightBasisPoints / 1e4]),
    ),
    statistic,
    degreesOfFreedom,
    pValue,
    logEvidence,
    mismatch: logEvidence >= alarmLogEvidence,
  };
}
