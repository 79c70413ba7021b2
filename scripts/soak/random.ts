/** Seeded randomness of the soak: the same seed gives the same events and asks for the same kills. */

import { hash32 } from "../../core/index.ts";

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** Whole, in [from, to]. */
  whole(from: number, to: number): number;
  /** True that often. */
  chance(probability: number): boolean;
  /** In place. */
  shuffle(items: unknown[]): void;
}

/** Streams of different names tell nothing about each other. */
export function random(seed: number, name: string): Random {
  let drawn = 0;
  const next = () => hash32(`${seed} ${name} ${drawn++}`) / 2 ** 32;
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = whole(0, i);
        [items[i], items[j]] = [items[j], items[i]];
      }
    },
  };
}
