import { expect, test } from "vitest";
import { bought, day, exposed, planOf, start } from "../test/checkout-events.ts";
import { foldedShard } from "../test/folded-shard.ts";
import { isUnitRetired } from "./retired-units.ts";
import type { CountedEvent } from "./types.ts";

/** The document of a unit after these events. */
function documentOf(...events: CountedEvent[]) {
  const shard = foldedShard();
  shard.receive([planOf()], [{ environment: "e", receivedAtMs: start, events }]);
  const [stored = ""] = shard.stored.values();
  return { stored, names: shard.dictionary().of("e") };
}

function isRetired(unit: ReturnType<typeof documentOf>, retirement: ReturnType<typeof of>) {
  return isUnitRetired(unit.stored, unit.names, retirement);
}

const of = (archived: string[], beforeMs = start + 30 * day) => ({
  isRetired: (experiment: string) => archived.includes(experiment),
  beforeMs,
});

test("a unit is kept while an experiment that counts has exposed it, in a phase or outside", () => {
  expect(isRetired(documentOf(exposed()), of([]))).toBe(false);
  expect(isRetired(documentOf(exposed()), of(["checkout"]))).toBe(true);
  const outside = documentOf(exposed(), exposed({ experiment: "other" }));
  expect(isRetired(outside, of(["checkout"]))).toBe(false);
  expect(isRetired(outside, of(["checkout", "other"]))).toBe(true);
});

test("and while its newest outcome may still be a covariate, exposed or not", () => {
  const unexposed = documentOf(bought(start), bought(start + day));
  expect(isRetired(unexposed, of([], start + day))).toBe(false);
  expect(isRetired(unexposed, of([], start + day + 1))).toBe(true);
  const recent = documentOf(exposed(), bought(start + 2 * day));
  expect(isRetired(recent, of(["checkout"], start + 2 * day))).toBe(false);
});
