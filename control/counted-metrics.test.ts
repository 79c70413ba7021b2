import { expect, test } from "vitest";
import { atMs, startedOf } from "../test/control-state.ts";
import { rebuildableFromMs, withCountedMetrics } from "./counted-metrics.ts";

const [phase] = startedOf().phases;
if (phase === undefined) throw new Error("no phase");
const [primary] = phase.metrics;
if (primary === undefined) throw new Error("no metric");
const added = { ...primary, key: "added", role: "secondary" as const, addedAtMs: atMs };
const extended = { ...phase, metrics: [primary, added] };
const shown = (...rebuiltAtMs: (number | null)[]) =>
  withCountedMetrics(extended, rebuiltAtMs).metrics.map(({ key }) => key);

test("a metric that was added is shown once every shard was rebuilt after all consumers knew it", () => {
  const enough = rebuildableFromMs(atMs);
  expect(enough).toBe(atMs + 120_000);
  expect(shown(enough, enough + 1)).toEqual(["purchased", "added"]);
  expect(shown(enough, enough - 1)).toEqual(["purchased"]);
  expect(shown(enough, null)).toEqual(["purchased"]);
  expect(shown(null, null)).toEqual(["purchased"]);
});

test("metrics from the start are shown whatever was rebuilt", () => {
  expect(withCountedMetrics(phase, [null])).toEqual(phase);
});
