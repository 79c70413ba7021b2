/**
 * p-values adjusted for being several, with the semantics of R's p.adjust (Holm 1979; Hochberg 1988; Benjamini & Hochberg 1995): the family-wise
 * error for the first three, the false discovery rate for the last. Across arms or metrics of a sequential test pass sequential p-values.
 */

export type Adjustment = "bonferroni" | "holm" | "hochberg" | "benjamini-hochberg";

/** What the i-th p-value in the method's own order is multiplied by. */
const FACTORS = {
  bonferroni: (_, m) => m,
  holm: (i, m) => m - i,
  hochberg: (i) => i + 1,
  "benjamini-hochberg": (i, m) => m / (m - i),
} satisfies Record<Adjustment, (i: number, m: number) => number>;

/**
 * Adjusted p-values in the order given. A null (no result) stays null and is not counted: which metrics have one must not depend on the outcome.
 * @throws RangeError for a p-value outside [0, 1], or another method
 */
export function adjustPValues(
  pValues: readonly (number | null)[],
  method: Adjustment,
): (number | null)[] {
  if (!Object.hasOwn(FACTORS, method))
    throw new RangeError(`method must be one of ${Object.keys(FACTORS).join(", ")}, got ${method}`);
  const known: { p: number; index: number }[] = [];
  pValues.forEach((p, index) => {
    if (p === null) return;
    if (!(p >= 0 && p <= 1)) throw new RangeError(`pValues must lie between 0 and 1, got ${p}`);
    known.push({ p, index });
  });
  const m = known.length;
  const stepUp = method === "hochberg" || method === "benjamini-hochberg";
  known.sort((a, b) => (stepUp ? b.p - a.p : a.p - b.p));
  const adjusted: (number | null)[] = pValues.map(() => null);
  let limit = stepUp ? 1 : 0;
  known.forEach(({ p, index }, i) => {
    const scaled = Math.min(1, p * FACTORS[method](i, m));
    if (method !== "bonferroni") limit = stepUp ? Math.min(limit, scaled) : Math.max(limit, scaled);
    adjusted[index] = method === "bonferroni" ? scaled : limit;
  });
  return adjusted;
}
