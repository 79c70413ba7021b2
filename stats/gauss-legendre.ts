/** Gauss–Legendre quadrature on [−1, 1]: nodes by Newton's method on the Legendre recurrence, weights from its derivative. */

export type Quadrature = {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
};

/** The n-point rule, exact for polynomials of degree 2n − 1; nodes ascend. */
export function gaussLegendre(n: number): Quadrature {
  const nodes: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < n; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      let value = x;
      let before = 1;
      for (let degree = 2; degree <= n; degree++)
        [before, value] = [value, ((2 * degree - 1) * x * value - (degree - 1) * before) / degree];
      slope = (n * (x * value - before)) / (x * x - 1);
      const move = value / slope;
      x -= move;
      if (Math.abs(move) < 1e-16) break;
    }
    nodes.push(x);
    weights.push(2 / ((1 - x * x) * slope * slope));
  }
  return { nodes, weights };
}

/** The integral of f from lower to upper by the rule repeated over equal panels. */
export function integrate(
  f: (x: number) => number,
  {
    lower,
    upper,
    panels,
    rule,
  }: { lower: number; upper: number; panels: number; rule: Quadrature },
): number {
  const half = (upper - lower) / panels / 2;
  let total = 0;
  for (let panel = 0; panel < panels; panel++) {
    const middle = lower + (2 * panel + 1) * half;
    rule.nodes.forEach((node, i) => {
      total += (rule.weights[i] ?? 0) * f(middle + half * node);
    });
  }
  return total * half;
}
