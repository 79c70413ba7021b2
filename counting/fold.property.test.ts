/** Counting against the naive model in test/: the same rows after any stream, cut, order and repetition. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countNaively } from "../test/naive-counting.ts";
import type { Received } from "../test/naive-counting.ts";
import { seededRandom } from "../test/seeded-random.ts";
import { foldedShard } from "../test/folded-shard.ts";
import type { CountedEvent, CountedMetric, CountingPlan } from "./types.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = 490_000 * hour;

const metrics: CountedMetric[] = [
  { key: "bought", type: "proportion", event: "buy", aggregation: "any", windowMs: 24 * hour },
  {
    key: "revenue",
    type: "mean",
    event: "buy",
    aggregation: "sum",
    cap: 5,
    covariateLookbackDays: 1,
    windowMs: 24 * hour,
  },
  { key: "views", type: "mean", event: "view", aggregation: "count", windowMs: 6 * hour },
  { key: "largest", type: "mean", event: "buy", aggregation: "max", windowMs: hour },
  {
    key: "per_view",
    type: "ratio",
    event: "buy",
    aggregation: "sum",
    denominator: { event: "view", aggregation: "count" },
    covariateLookbackDays: 2,
    windowMs: 12 * hour,
  },
  {
    key: "returned",
    type: "retention",
    event: "view",
    aggregation: "any",
    returnDays: 1,
    windowMs: 0,
  },
];

const at = (hours: number) => start + hours * hour;
const phase = (number: number, variants: string[], rest: object) => ({
  phase: number,
  variants,
  excludesEarlierPhases: false,
  metrics,
  running: [] as [number, number | null][],
  ...rest,
});

const plan = (environment: string): CountingPlan => ({
  formatVersion: 1,
  environment,
  version: 1,
  outcomes: ["buy", "view"],
  experiments: [
    {
      key: "checkout",
      unit: "user",
      dimensions: ["country", "device"],
      phases: [
        phase(1, ["a", "b"], { running: [[at(0), at(30)]] }),
        phase(2, ["a", "b", "c"], { running: [[at(30), at(60)]], excludesEarlierPhases: true }),
        phase(3, ["b", "c"], { running: [[at(60), null]] }),
      ],
    },
    {
      key: "search",
      unit: "user",
      dimensions: [],
      phases: [
        phase(1, ["a", "b"], {
          running: [
            [at(0), at(20)],
            [at(40), at(70)],
          ],
          metrics: metrics.slice(0, 2),
        }),
      ],
    },
    {
      key: "device_test",
      unit: "device",
      dimensions: ["country"],
      phases: [phase(1, ["a", "b"], { running: [[at(0), null]], metrics: metrics.slice(2) })],
    },
  ],
});
const plans = [plan("production"), plan("staging")];

/** Round hours, so that events tie and meet the edges of windows, intervals and tolerances, and a little beside them. */
const timeMs = fc
  .tuple(
    fc.oneof(fc.integer({ min: -30, max: 110 }), fc.constantFrom(0, 5, 29, 30)),
    fc.constantFrom(0, 0, 1, 59, 2 * minute, 25 * minute),
  )
  .map(([hours, extra]) => at(hours) + extra);
const source = fc.constantFrom("server", "server", "client", "import", "edge");
const unit = fc.constantFrom("1", "2", "3");
const kind = fc.constantFrom("user", "user", "device");

const exposure = fc.record(
  {
    type: fc.constant("exposure"),
    experiment: fc.constantFrom("checkout", "checkout", "search", "device_test", "archived"),
    phase: fc.constantFrom(1, 2, 3),
    variant: fc.constantFrom("a", "a", "a", "a", "a", "b", "c"),
    kind,
    unit,
    timeMs,
    source,
    sdk: fc.constantFrom("web/1", "app/2"),
    bot: fc.constant(true),
    attributes: fc.record(
      { country: fc.constantFrom("US", "FR", ""), device: fc.constantFrom("phone", 7, true, null) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ["type", "experiment", "variant", "kind", "unit", "timeMs", "source"] },
);
const rarelyBot = fc
  .tuple(exposure, fc.nat(9))
  .map(([{ bot, ...rest }, chance]) => (bot && chance === 0 ? { ...rest, bot } : rest));

const outcome = fc.record(
  {
    type: fc.constant("outcome"),
    id: fc.integer({ min: 0, max: 30 }).map(String),
    name: fc.constantFrom("buy", "view", "ignored"),
    kind,
    unit,
    /** Multiples of a quarter add up exactly in any order. */
    value: fc.integer({ min: -8, max: 32 }).map((quarters) => quarters / 4),
    timeMs,
    source,
  },
  { requiredKeys: ["type", "id", "name", "kind", "unit", "timeMs", "source"] },
);

const event = fc.oneof(rarelyBot, outcome) as fc.Arbitrary<CountedEvent>;
const message: fc.Arbitrary<Received> = fc.record({
  environment: fc.constantFrom("production", "production", "staging"),
  receivedAtMs: fc.integer({ min: 0, max: 120 }).map((hours) => at(hours) + 15 * minute),
  events: fc.array(event, { minLength: 1, maxLength: 16, size: "max" }),
});

/** Consumer batches: every message once, some again later, in any order, cut anywhere. */
const deliveries = fc
  .array(message, { minLength: 1, maxLength: 12, size: "max" })
  .chain((messages) => {
    const again = fc.array(fc.constantFrom(...messages), { maxLength: 8 });
    return again.chain((repeated) => {
      const stream = [...messages, ...repeated];
      return fc.tuple(
        fc.shuffledSubarray(stream, { minLength: stream.length }),
        fc.array(fc.boolean(), { minLength: stream.length, maxLength: stream.length }),
      );
    });
  })
  .map(([stream, cuts]) => {
    const batches: Received[][] = [[]];
    for (const [i, each] of stream.entries()) {
      if (cuts[i] === true) batches.push([]);
      batches.at(-1)?.push(each);
    }
    return batches;
  });

function countIncrementally(batches: readonly Received[][], options = {}) {
  const shard = foldedShard(options);
  for (const batch of batches) shard.receive(plans, batch);
  return shard;
}

describe("any stream, in any order, repeated and cut anywhere", () => {
  test("ends in the cells, populations and tallies of the naive model", () => {
    fc.assert(
      fc.property(deliveries, (batches) => {
        const naive = countNaively(plans, batches.flat());
        expect(countIncrementally(batches).counted).toEqual(naive);
      }),
      { numRuns: 1_500 },
    );
  });

  test("writes nothing and changes nothing when everything is delivered again", () => {
    fc.assert(
      fc.property(deliveries, (batches) => {
        const shard = countIncrementally(batches);
        const once = structuredClone(shard.counted);
        expect(shard.receive(plans, batches.flat())).toEqual([]);
        expect(shard.counted).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });
});

/** A busy unit over months: consumers let go of its old outcomes, and a rebuild does not. */
const months = fc
  .array(
    fc.record({
      environment: fc.constant("production"),
      receivedAtMs: fc.integer({ min: 0, max: 60 }).map((days) => at(days * 24)),
      events: fc.array(
        fc.oneof(
          { weight: 1, arbitrary: rarelyBot.map((each) => ({ ...each, unit: "1", kind: "user" })) },
          {
            weight: 6,
            arbitrary: fc
              .tuple(outcome, fc.integer({ min: 0, max: 40 }), fc.uuid())
              .map(([each, days, id]) => ({
                ...each,
                id,
                unit: "1",
                kind: "user",
                timeMs: each.timeMs + days * 24 * hour,
              })),
          },
        ) as fc.Arbitrary<CountedEvent>,
        { minLength: 10, maxLength: 40, size: "max" },
      ),
    }),
    { minLength: 3, maxLength: 8, size: "max" },
  )
  .map((stream): Received[] => stream);

/** Free text in a dimension, of more values than are kept; some exposures are earlier than those before, of bots, or of two variants. */
function talkative(seed: number): Received[][] {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  let outcomes = 0;
  const events = (): CountedEvent[] => {
    const of = { kind: "user", unit: String(below(500)), source: "server" } as const;
    const timeMs = at(below(29)) + below(3) * minute;
    const variant = Number(of.unit) % 2 === below(40) ? "b" : "a";
    const attributes = { country: `word ${below(600)}`, device: below(2) };
    const exposed = {
      type: "exposure",
      experiment: "checkout",
      variant,
      timeMs,
      attributes,
    } as const;
    const id = String(outcomes++);
    return [
      { ...exposed, ...of, ...(below(50) === 0 && { bot: true }) },
      { type: "outcome", id, name: "buy", value: below(40) / 4, timeMs: timeMs + minute, ...of },
    ];
  };
  return Array.from({ length: 12 }, () => [
    {
      environment: "production",
      receivedAtMs: at(40),
      events: Array.from({ length: 60 }, events).flat(),
    },
  ]);
}

describe("dimensions of free text", () => {
  test("end in the cells of the naive model, in any order and repeated, and in those of a rebuild", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const batches = talkative(seed);
        const model = countNaively(plans, batches.flat());
        const values = [...model.populations.keys()].filter((key) => key.includes('"country"'));
        expect(values.filter((key) => key.includes('"other"')).length).toBeGreaterThan(0);
        expect(countIncrementally(batches).counted).toEqual(model);
        const backwards = countIncrementally([...batches.toReversed(), ...batches]);
        expect(backwards.counted).toEqual(model);
        expect(backwards.receive(plans, batches.flat(2))).toEqual([]);
        const rebuilt = countIncrementally([batches.flat()], { keepsPast: true });
        expect(rebuilt.counted).toEqual(model);
      }),
      { numRuns: 6 },
    );
  });
});

describe("a rebuild", () => {
  test("of any stream ends in the same cells, populations and tallies as its consumers", () => {
    fc.assert(
      fc.property(deliveries, (batches) => {
        const rebuilt = countIncrementally([batches.flat()], { keepsPast: true });
        expect(rebuilt.counted).toEqual(countIncrementally(batches).counted);
      }),
      { numRuns: 300 },
    );
  });

  test("counts what came later than consumers keep outcomes for, as the naive model does", () => {
    let corrected = 0;
    fc.assert(
      fc.property(months, (stream) => {
        const naive = countNaively(plans, stream);
        const batches = stream.map((each) => [each]);
        expect(countIncrementally(batches, { keepsPast: true }).counted).toEqual(naive);
        const consumed = countIncrementally(batches).counted;
        const isSame = [...naive.cells].every(
          ([key, sums]) => consumed.cells.get(key)?.join() === sums.join(),
        );
        if (!isSame) corrected++;
      }),
      { numRuns: 200 },
    );
    expect(corrected).toBeGreaterThan(0);
  });
});
