/// <reference types="node" />
/**
 * Edgewise beside the newest `@growthbook/growthbook` and `@openfeature/flagd-core` on equivalent flags. Before anything is timed,
 * each must give the answers that the flag asks for; only whom a split puts where is its own affair, within its shares.
 */
import { contenders } from "./evaluate-contenders.ts";
import type { Contender } from "./evaluate-contenders.ts";
import {
  contexts,
  countries,
  DEFAULT_VALUE,
  experimentFlags,
  mixedFlags,
  TRAFFIC_PERCENT,
  TREATMENT_VALUE,
} from "./evaluate-flags.ts";
import type { AskedContext, AskedFlag, Kind } from "./evaluate-flags.ts";
import { expectServed, nanoseconds } from "./timing.ts";

const few: AskedFlag[] = [
  { key: "plain", kind: "plain" },
  { key: "served", kind: "served" },
  { key: "split", kind: "split" },
  { key: "experiment", kind: "experiment" },
];
const many = experimentFlags(10_000);
const manyKeys = many.slice(1).map(({ key }) => key);

/** The share of treated units that the flag asks for in such a context. */
function treatedShare(kind: Kind, { country, plan }: AskedContext): number {
  switch (kind) {
    case "plain":
      return 0;
    case "served":
      return plan === "team" ? 1 : 0;
    case "split":
      return countries.includes(country) ? 0.5 : 0;
    case "split to all":
      return 0.5;
    case "experiment":
      return countries.includes(country) ? TRAFFIC_PERCENT / 200 : 0;
  }
}

function expectEquivalent({ name, valueOf }: Contender, { key, kind }: AskedFlag): void {
  let drawn = 0;
  let treated = 0;
  let expected = 0;
  for (const [index, context] of contexts.entries()) {
    const share = treatedShare(kind, context);
    const value = valueOf(key, index);
    const isDrawn = share > 0 && share < 1;
    const possible = isDrawn
      ? [DEFAULT_VALUE, TREATMENT_VALUE]
      : [share === 1 ? TREATMENT_VALUE : DEFAULT_VALUE];
    if (!possible.some((one) => one === value)) {
      throw new Error(`${name}: ${key} is ${String(value)} for ${JSON.stringify(context)}`);
    }
    if (!isDrawn) continue;
    drawn++;
    expected += share;
    if (value === TREATMENT_VALUE) treated++;
  }
  // Five standard errors.
  if (Math.abs(treated - expected) > 2.5 * Math.sqrt(drawn)) {
    throw new Error(`${name}: ${key} treats ${treated} of ${drawn}, not about ${expected}`);
  }
}

function made(flags: readonly AskedFlag[]): Contender[] {
  return contenders.map((make) => {
    const contender = make(flags, contexts);
    for (const flag of flags.slice(0, 100)) expectEquivalent(contender, flag);
    if (contender.evaluateAll(0) !== flags.length)
      throw new Error(`${contender.name} left flags out`);
    return contender;
  });
}

const ofFew = made(few);
const ofMixed = made(mixedFlags);
const ofMany = made(many);

/** A value of the flag, of the flags in turn, or with null of all flags at once. */
function asking(
  { valueOf, evaluateAll }: Contender,
  keys: readonly [string, ...string[]] | null,
): (index: number) => unknown {
  if (keys === null) return evaluateAll;
  const [first, ...others] = keys;
  if (others.length === 0) return (index) => valueOf(first, index);
  return (index) => valueOf(keys[(index * 7919) % keys.length] ?? first, index);
}

const rows: [name: string, ofAll: Contender[], keys: Parameters<typeof asking>[1]][] = [
  ["simple flag: its default", ofFew, ["plain"]],
  ["simple flag: one condition serves", ofFew, ["served"]],
  ["targeting + split", ofFew, ["split"]],
  ["targeting + experiment, 80 % traffic", ofFew, ["experiment"]],
  ["100 flags for one user", ofMixed, null],
  ["one experiment of 10,000", ofMany, ["experiment_5000"]],
  ["another of the 10,000 each time", ofMany, ["experiment_0", ...manyKeys]],
];

const table: Record<string, Record<string, string>> = {};
for (const [row, ofAll, keys] of rows) {
  const figures = nanoseconds(ofAll.map((contender) => asking(contender, keys)));
  const [edgewise = Number.NaN] = figures;
  table[row] = Object.fromEntries(
    ofAll.map(({ name }, i) => {
      const ns = figures[i] ?? Number.NaN;
      const figure = ns < 1000 ? `${ns.toFixed(0)} ns` : `${(ns / 1000).toFixed(1)} µs`;
      return [name, i === 0 ? figure : `${figure} (${(ns / edgewise).toFixed(1)} ×)`];
    }),
  );
}
console.table(table);
expectServed();
