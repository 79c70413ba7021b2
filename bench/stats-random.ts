/** Seeded randomness for the statistics benches: the same seed prints the same table. */
import { normal } from "../stats/index.ts";

export type Random = {
  /** On (0, 1). */
  readonly uniform: () => number;
  readonly gaussian: () => number;
  /** Mean 1. */
  readonly exponential: () => number;
  /** Exact, by inversion: meant for n · p below some hundreds. */
  readonly binomial: (n: number, p: number) => number;
};

/** The xoshiro128** generator (Blackman & Vigna 2018), its state filled by splitmix from the seed. */
export function seeded(seed: number): Random {
  let mix = seed | 0;
  const next = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let word = Math.imul(mix ^ (mix >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return word ^ (word >>> 15);
  };
  let a = next();
  let b = next();
  let c = next();
  let d = next();
  const uniform = (): number => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return (result + 0.5) / 4294967296;
  };
  return {
    uniform,
    gaussian: () => normal.quantile(uniform()),
    exponential: () => -Math.log(uniform()),
    binomial: (n, p) => {
      const odds = p / (1 - p);
      let term = (1 - p) ** n;
      let below = term;
      const u = uniform();
      let k = 0;
      while (u > below && k < n) {
        k++;
        term *= (odds * (n - k + 1)) / k;
        below += term;
      }
      return k;
    },
  };
}
