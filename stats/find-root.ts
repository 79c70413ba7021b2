/**
 * Roots of monotone functions of one variable: a Newton iteration kept inside its bracket, and R. P. Brent's method (1973, chapter 4)
 * where no derivative is at hand. Both always end; neither evaluates outside the bracket.
 */

const MAX_STEPS = 200;

type NewtonProblem = {
  /** Value and derivative at x; the function must change sign once over the bracket. */
  readonly evaluate: (x: number) => readonly [value: number, slope: number];
  readonly lower: number;
  readonly upper: number;
  readonly start: number;
  readonly increasing: boolean;
};

/** A Newton step this small leaves an error of about its square. */
const LAST_STEP = 1e-9;

/** The root by Newton's method to full precision; a step that leaves the bracket is replaced by bisection. */
export function newtonRoot(problem: NewtonProblem): number {
  let { lower, upper } = problem;
  let x = Math.min(Math.max(problem.start, lower), upper);
  for (let step = 0; step < MAX_STEPS; step++) {
    const [value, slope] = problem.evaluate(x);
    if (value === 0) return x;
    if (value > 0 === problem.increasing) upper = x;
    else lower = x;
    const move = value / slope;
    let next = x - move;
    if (Math.abs(move) <= LAST_STEP * Math.max(1, Math.abs(x))) return next;
    if (!(next > lower && next < upper)) next = lower + (upper - lower) / 2;
    x = next;
  }
  return x;
}

/** The root of f between lower and upper, where f has opposite signs, to an absolute `tolerance`. */
export function brentRoot(
  f: (x: number) => number,
  { lower, upper, tolerance }: { lower: number; upper: number; tolerance: number },
): number {
  let a = lower;
  let b = upper;
  let fa = f(a);
  let fb = f(b);
  let c = a;
  let fc = fa;
  let step = b - a;
  let previous = step;
  for (let i = 0; i < MAX_STEPS; i++) {
    if (Math.abs(fc) < Math.abs(fb)) {
      a = b;
      b = c;
      c = a;
      fa = fb;
      fb = fc;
      fc = fa;
    }
    const limit = 2 * Number.EPSILON * Math.abs(b) + tolerance / 2;
    const half = (c - b) / 2;
    if (Math.abs(half) <= limit || fb === 0) return b;
    if (Math.abs(previous) < limit || Math.abs(fa) <= Math.abs(fb)) {
      step = half;
      previous = half;
    } else {
      const s = fb / fa;
      let p: number;
      let q: number;
      if (a === c) {
        p = 2 * half * s;
        q = 1 - s;
      } else {
        const r = fb / fc;
        const t = fa / fc;
        p = s * (2 * half * t * (t - r) - (b - a) * (r - 1));
        q = (t - 1) * (r - 1) * (s - 1);
      }
      if (p > 0) q = -q;
      p = Math.abs(p);
      if (2 * p < Math.min(3 * half * q - Math.abs(limit * q), Math.abs(previous * q))) {
        previous = step;
        step = p / q;
      } else {
        step = half;
        previous = half;
      }
    }
    a = b;
    fa = fb;
    b += Math.abs(step) > limit ? step : Math.sign(half) * limit;
    fb = f(b);
    if (fb > 0 === fc > 0) {
      c = a;
      fc = fa;
      step = b - a;
      previous = step;
    }
  }
  return b;
}
