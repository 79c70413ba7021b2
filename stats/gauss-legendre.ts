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

/** A rule repeated over equal panels between two finite ends. */
export function composite(
  rule: Quadrature,
  { lower, upper, panels }: { lower: number; upper: number; panels: number },
): Quadrature {
  const half = (upper - lower) / panels / 2;
  const nodes: number[] = [];
  const weights: number[] = [];
  for (let panel = 0; panel < panels; panel++) {
    const middle = lower + (2 * panel + 1) * half;
    for (const node of rule.nodes) nodes.push(middle + half * node);
    for (const weight of rule.weights) weights.push(half * weight);
  }
  return { nodes, weights };
}

export function integrate(f: (x: number) => number, { nodes, weights }: Quadrature): number {
  let total = 0;
  nodes.forEach((node, i) => {
    total += (weights[i] ?? 0) * f(node);
  });
  return total;
}
