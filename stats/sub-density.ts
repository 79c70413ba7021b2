/**
 * The density of "still running at s" on the score scale S = Z√t, carried from look to look by the recursion of Armitage, McPherson & Rowe
 * (1969, JRSS A 132; Jennison & Turnbull 2000, chapter 19). Composite 10-point Gauss–Legendre with panels tied to the increments of
 * information, so looks that lie close together are as exact as others. Never normalised: its total is the probability of not having stopped.
 */
import { gaussLegendre } from "./gauss-legendre.ts";
import { normal } from "./normal.ts";

const INV_SQRT_2PI = 0.3989422804014327;
const RULE = gaussLegendre(10);
const NODES = RULE.nodes.length;
/** Kernel terms further out than this many standard deviations are dropped (relative size 1e-22). */
const KERNEL_REACH = 10;
/** The continuation region is clipped this many standard deviations from its mean. */
const REGION_REACH = 10;

export type SubDensity = {
  /** Information at which this holds, and where the walk started. */
  readonly time: number;
  readonly startTime: number;
  readonly startScore: number;
  /** Equal panels of the continuation region: `firstCentre + panel · 2 · half`. */
  readonly firstCentre: number;
  readonly half: number;
  readonly panels: number;
  /** Offsets of the nodes from their panel's centre. */
  readonly offsets: Float64Array;
  /** Density × quadrature weight at node `panel · offsets.length + i`. */
  readonly mass: Float64Array;
};

/** Everything at one score: where a trial starts, or where it stands when its future is asked for. */
export function pointMass(time: number, score: number): SubDensity {
  return {
    time,
    startTime: time,
    startScore: score,
    firstCentre: score,
    half: 0,
    panels: 1,
    offsets: Float64Array.of(0),
    mass: Float64Array.of(1),
  };
}

/** P(running until now, and S at information `time` > `score`), by drift per unit of information. */
export function probabilityAbove(
  density: SubDensity,
  time: number,
  score: number,
  drift: number,
): number {
  if (score === Infinity) return 0;
  const increment = time - density.time;
  const scale = 1 / Math.sqrt(increment);
  let total = 0;
  for (let panel = 0; panel < density.panels; panel++) {
    const centre = density.firstCentre + 2 * panel * density.half + drift * increment;
    for (let i = 0; i < density.offsets.length; i++) {
      const z = (score - centre - (density.offsets[i] ?? 0)) * scale;
      total += (density.mass[panel * density.offsets.length + i] ?? 0) * normal.sf(z);
    }
  }
  return total;
}

/** P(running until now, and S at information `time` < `score`). */
export function probabilityBelow(
  density: SubDensity,
  time: number,
  score: number,
  drift: number,
): number {
  if (score === -Infinity) return 0;
  const increment = time - density.time;
  const scale = 1 / Math.sqrt(increment);
  let total = 0;
  for (let panel = 0; panel < density.panels; panel++) {
    const centre = density.firstCentre + 2 * panel * density.half + drift * increment;
    for (let i = 0; i < density.offsets.length; i++) {
      const z = (centre + (density.offsets[i] ?? 0) - score) * scale;
      total += (density.mass[panel * density.offsets.length + i] ?? 0) * normal.sf(z);
    }
  }
  return total;
}

/** The density of S at information `time` and at `score`, over paths still running. */
export function densityAt(density: SubDensity, time: number, score: number, drift: number): number {
  const increment = time - density.time;
  const scale = 1 / Math.sqrt(increment);
  let total = 0;
  for (let panel = 0; panel < density.panels; panel++) {
    const centre = density.firstCentre + 2 * panel * density.half + drift * increment;
    for (let i = 0; i < density.offsets.length; i++) {
      const z = (score - centre - (density.offsets[i] ?? 0)) * scale;
      total += (density.mass[panel * density.offsets.length + i] ?? 0) * Math.exp(-0.5 * z * z);
    }
  }
  return total * scale * INV_SQRT_2PI;
}

/** The largest score at which anything is still running. */
export function upperEdge(density: SubDensity): number {
  return density.firstCentre + (2 * density.panels - 1) * density.half;
}

/** The smallest score at which anything is still running. */
export function lowerEdge(density: SubDensity): number {
  return density.firstCentre - density.half;
}

export type Step = {
  /** Information at the look that is passed without stopping. */
  readonly time: number;
  /** Information at the look after it: the panels must resolve both increments. */
  readonly nextTime: number;
  /** The continuation region on the score scale. */
  readonly lower: number;
  readonly upper: number;
  readonly drift: number;
};

/** The density after passing one more look inside its bounds. */
export function advance(from: SubDensity, step: Step): SubDensity {
  const { time, drift } = step;
  const increment = time - from.time;
  const scale = 1 / Math.sqrt(increment);
  const elapsed = time - from.startTime;
  const mean = from.startScore + drift * elapsed;
  const reach = REGION_REACH * Math.sqrt(elapsed);
  const lower = Math.max(step.lower, mean - reach);
  const upper = Math.min(step.upper, mean + reach);
  const base = { time, startTime: from.startTime, startScore: from.startScore };
  if (!(upper > lower))
    return {
      ...base,
      firstCentre: 0,
      half: 0,
      panels: 0,
      offsets: new Float64Array(0),
      mass: new Float64Array(0),
    };

  const width = 2 * Math.sqrt(Math.min(increment, step.nextTime - time));
  const panels = Math.ceil((upper - lower) / width);
  const half = (upper - lower) / panels / 2;
  const firstCentre = lower + half;
  const offsets = Float64Array.from(RULE.nodes, (node) => node * half);
  const mass = new Float64Array(panels * NODES);
  spread(from, { firstCentre, half, panels, offsets, mass }, { scale, shift: drift * increment });
  for (let k = 0; k < mass.length; k++)
    mass[k] = (mass[k] ?? 0) * (RULE.weights[k % NODES] ?? 0) * half * scale * INV_SQRT_2PI;
  return { ...base, firstCentre, half, panels, offsets, mass };
}

type Target = Pick<SubDensity, "firstCentre" | "half" | "panels" | "offsets" | "mass">;

/**
 * Adds Σ_j m_j exp(−(x_i − s_j − shift)²/2σ²) to every target node. With x = X + δ and s = S + ε around their panels' centres, the kernel is
 * exp(−Δ²/2) · exp(−Δδ − δ²/2) · exp(Δε − ε²/2) · exp(δε): one 10 × 10 matrix serves every pair of panels, and the factors in Δ grow
 * geometrically from panel to panel, which leaves one exponential a pair instead of a hundred.
 */
function spread(
  from: SubDensity,
  to: Target,
  { scale, shift }: { scale: number; shift: number },
): void {
  const delta = to.offsets.map((offset) => offset * scale);
  const epsilon = from.offsets.map((offset) => offset * scale);
  const rows = delta.length;
  const columns = epsilon.length;
  const cross = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      cross[i * columns + j] = Math.exp((delta[i] ?? 0) * (epsilon[j] ?? 0));
  const stride = 2 * to.half * scale;
  const growRow = delta.map((d) => Math.exp(-stride * d));
  const growColumn = epsilon.map((e) => Math.exp(stride * e));
  const row = new Float64Array(rows);
  const column = new Float64Array(columns);
  const margin = KERNEL_REACH + (to.half + from.half) * scale;

  for (let source = 0; source < from.panels; source++) {
    const centre = from.firstCentre + 2 * source * from.half + shift;
    const offset = (to.firstCentre - centre) * scale;
    const first = Math.max(0, Math.ceil((-margin - offset) / stride));
    const last = Math.min(to.panels - 1, Math.floor((margin - offset) / stride));
    if (first > last) continue;
    let distance = offset + first * stride;
    for (let i = 0; i < rows; i++) {
      const d = delta[i] ?? 0;
      row[i] = Math.exp(-d * (distance + 0.5 * d));
    }
    for (let j = 0; j < columns; j++) {
      const e = epsilon[j] ?? 0;
      column[j] = (from.mass[source * columns + j] ?? 0) * Math.exp(e * (distance - 0.5 * e));
    }
    for (let panel = first; panel <= last; panel++) {
      distance = offset + panel * stride;
      const height = Math.exp(-0.5 * distance * distance);
      for (let i = 0; i < rows; i++) {
        let sum = 0;
        for (let j = 0; j < columns; j++) sum += (cross[i * columns + j] ?? 0) * (column[j] ?? 0);
        const k = panel * rows + i;
        to.mass[k] = (to.mass[k] ?? 0) + height * (row[i] ?? 0) * sum;
      }
      for (let i = 0; i < rows; i++) row[i] = (row[i] ?? 0) * (growRow[i] ?? 0);
      for (let j = 0; j < columns; j++) column[j] = (column[j] ?? 0) * (growColumn[j] ?? 0);
    }
  }
}
