/** How fast and how exact bounds are, beside the customary recursion on a fixed Simpson grid (r = 18, Jennison & Turnbull 2000, section 19.2). */
import vectors from "../stats/fixtures/vectors.json" with { type: "json" };
import { groupSequentialBounds, normal } from "../stats/index.ts";

type Design = { readonly fractions: readonly number[]; readonly increments: readonly number[] };

/** Grid points and Simpson weights in z between two bounds. */
function simpsonGrid(r: number, low: number, high: number): { z: number[]; w: number[] } {
  const knots: number[] = [];
  for (let i = 1; i < 6 * r; i++) {
    if (i < r) knots.push(-3 - 4 * Math.log(r / i));
    else if (i <= 5 * r) knots.push(-3 + (3 * (i - r)) / (2 * r));
    else knots.push(3 + 4 * Math.log(r / (6 * r - i)));
  }
  const inside = [low, ...knots.filter((knot) => knot > low && knot < high), high];
  const z: number[] = [];
  const w: number[] = [];
  inside.forEach((knot, i) => {
    const before = inside[i - 1];
    const after = inside[i + 1];
    if (before !== undefined) {
      z.push((before + knot) / 2);
      w.push((4 * (knot - before)) / 6);
    }
    z.push(knot);
    w.push(((after ?? knot) - (before ?? knot)) / 6);
  });
  return { z, w };
}

/** Two-sided bounds with z and weights as they are usually computed: the same grid whatever the increments. */
function simpsonBounds({ fractions, increments }: Design, r: number): number[] {
  const bounds: number[] = [];
  let z = [0];
  let mass = [1];
  let before = 0;
  fractions.forEach((time, k) => {
    const increment = increments[k] ?? 0;
    const deviation = Math.sqrt(time - before);
    const from = Math.sqrt(before);
    const root = Math.sqrt(time);
    let bound = increment < 1e-15 ? Infinity : -normal.quantile(increment);
    for (let step = 0; step < 50 && bound < Infinity; step++) {
      let tail = 0;
      let density = 0;
      for (let j = 0; j < z.length; j++) {
        const x = (bound * root - (z[j] ?? 0) * from) / deviation;
        tail += (mass[j] ?? 0) * normal.sf(x);
        density += (mass[j] ?? 0) * Math.exp(-0.5 * x * x);
      }
      density *= (0.3989422804014327 * root) / deviation;
      const move = (Math.log(tail / increment) * tail) / density;
      bound += move;
      if (Math.abs(move) < 1e-10) break;
    }
    bounds.push(bound);
    const reach = Math.min(bound, 3 + 4 * Math.log(r));
    const grid = simpsonGrid(r, -reach, reach);
    const scale = (0.3989422804014327 * root) / deviation;
    mass = grid.z.map((point, i) => {
      let density = 0;
      for (let j = 0; j < z.length; j++) {
        const x = (point * root - (z[j] ?? 0) * from) / deviation;
        density += (mass[j] ?? 0) * Math.exp(-0.5 * x * x);
      }
      return density * scale * (grid.w[i] ?? 0);
    });
    z = grid.z;
    before = time;
  });
  return bounds;
}

function millisecondsOf(run: () => unknown): number {
  for (let i = 0; i < 5; i++) run();
  let rounds = 1;
  for (;;) {
    const start = performance.now();
    for (let i = 0; i < rounds; i++) run();
    const taken = performance.now() - start;
    if (taken > 300) return taken / rounds;
    rounds *= 2;
  }
}

/** Over bounds below 6, where the reference is good to 1e-13. */
function worst(actual: readonly number[], expected: readonly number[]): number {
  return expected.reduce(
    (error, z, k) => (z < 6 ? Math.max(error, Math.abs(z - (actual[k] ?? NaN))) : error),
    0,
  );
}

const format = (value: number): string =>
  value < 0.01 ? value.toExponential(1) : value.toFixed(2);

const CASES = [
  ["o-015", "5 equal looks"],
  ["o-061", "5 unequal looks"],
  ["o-023", "14 equal looks"],
  ["o-025", "20 equal looks"],
  ["o-048", "6 looks, four clustered"],
  ["om-01", "60 equal looks"],
  ["om-02", "100 equal looks"],
] as const;

console.log(
  "| design (two-sided, O'Brien–Fleming) | ours ms | ours error | Simpson r = 18 ms | error | Simpson r = 80 ms | error |",
);
console.log("|---|---|---|---|---|---|---|");
for (const [id, name] of CASES) {
  const record = vectors.bounds.find((bounds) => bounds.id === id);
  if (!record || record.sided !== 2) throw new Error(`${id} is no two-sided reference design`);
  const plan = {
    fractions: record.info,
    spendingTime: record.spendTime,
    alpha: record.alpha,
    sides: 2,
    spending: "obrien-fleming",
  } as const;
  const design = { fractions: record.info, increments: record.alphaIncrement.map((p) => p / 2) };
  const cells = [
    millisecondsOf(() => groupSequentialBounds(plan)),
    worst(groupSequentialBounds(plan).upper, record.upper),
    millisecondsOf(() => simpsonBounds(design, 18)),
    worst(simpsonBounds(design, 18), record.upper),
    millisecondsOf(() => simpsonBounds(design, 80)),
    worst(simpsonBounds(design, 80), record.upper),
  ];
  console.log(`| ${name} | ${cells.map(format).join(" | ")} |`);
}

const ledger = Array.from({ length: 51 }, (_, k) => (k + 1) / 60);
const append = millisecondsOf(() =>
  groupSequentialBounds({ fractions: ledger, alpha: 0.05, sides: 2, spending: "obrien-fleming" }),
);
console.log(
  `\nappending a look to a ledger of 50, every earlier bound solved again as the integrity check: ${append.toFixed(2)} ms`,
);
