import { describe, expect, test } from "vitest";
import {
  bought,
  cellAt,
  counted,
  day,
  exposed,
  hour,
  minute,
  once,
  planOf,
  populationAt,
  purchased,
  start,
  startHour,
} from "../test/checkout-events.ts";
import { foldedShard } from "../test/folded-shard.ts";
import type { CountedEvent, CountedMetric } from "./types.ts";

describe("who is counted", () => {
  test("an exposed unit is in the population even without an outcome", () => {
    const { populations, cells } = counted(planOf(), [exposed()]);
    expect(populations).toEqual({ [populationAt("control")]: 1 });
    expect(cells).toEqual({});
  });

  test("A then B in separate batches, and reversed, quarantines the unit under the sorted pair", () => {
    const a = [exposed(), bought(start + 1)];
    const b = [exposed({ variant: "one_page", timeMs: start + 5 })];
    for (const batches of [
      [a, b],
      [b, a],
    ]) {
      expect(counted(planOf(), ...batches)).toEqual({
        populations: {},
        origins: {},
        cells: {},
        tallies: { "1 quarantined control|one_page": 1 },
      });
    }
  });

  test("a bot's exposure takes the unit out of its population, whichever exposure came first", () => {
    const bot = [exposed({ bot: true, timeMs: start + hour })];
    const person = [exposed(), bought(start + 1)];
    for (const batches of [
      [bot, person],
      [person, bot],
    ]) {
      expect(counted(planOf(), ...batches)).toEqual({
        populations: {},
        origins: {},
        cells: {},
        tallies: { "1 bot ": 1 },
      });
    }
  });

  test("a unit of an earlier phase is left out of a phase that keeps the salt, even when told late", () => {
    const second = [exposed({ timeMs: start + 11 * day })];
    const first = [exposed()];
    const { populations, tallies } = counted(planOf(), second, first);
    expect(populations).toEqual({ [populationAt("control")]: 1 });
    expect(tallies["2 earlier-phase "]).toBe(1);
  });

  test("an exposure of phase 1 that is delivered in phase 2 belongs to phase 1", () => {
    const { populations } = counted(
      planOf(),
      [bought(start + 12 * day)],
      [exposed({ timeMs: start + 9 * day })],
    );
    expect(populations).toEqual({ [populationAt("control", startHour + 9 * 24)]: 1 });
  });

  test("exposures count until 120 s after a stop, later ones are tallied as outside the phase once a unit", () => {
    const stop = start + 5 * day;
    const plan = planOf({ running: [[start, stop]] });
    const at = (timeMs: number) => exposed({ timeMs });
    expect(counted(plan, [at(stop + 119_999)]).populations).toEqual({
      [populationAt("control", stop / hour)]: 1,
    });
    expect(counted(plan, [at(stop + 120_000), at(stop + 120_001)], [at(stop + 120_002)])).toEqual({
      populations: {},
      origins: {},
      cells: {},
      tallies: { "0 outside-phase ": 1 },
    });
  });

  test("an import from before the start belongs to the first phase, other sources to none", () => {
    const early = { timeMs: start - 100 * day };
    expect(counted(planOf(), [exposed({ ...early, source: "import" })]).populations).toEqual({
      [populationAt("control", startHour - 2_400)]: 1,
    });
    expect(counted(planOf(), [exposed(early)]).tallies).toEqual({ "0 outside-phase ": 1 });
  });

  test.each([
    ["of an unknown experiment", { experiment: "archived" }],
    ["of a variant that no phase has", { variant: "blue" }],
    ["of another kind of unit", { kind: "device" }],
    ["that names a phase which did not run then", { phase: 2 }],
  ])("an exposure %s is tallied as outside", (_, rest) => {
    const { populations, tallies } = counted(planOf(), [exposed(rest)]);
    expect(populations).toEqual({});
    expect(tallies).toEqual({ "0 outside-phase ": 1 });
  });

  test("a hot unit is treated as a bot: out of everything, tallied, and no longer recorded", () => {
    const shard = foldedShard();
    const receive = (events: CountedEvent[]) =>
      shard.receive([planOf()], [{ environment: "e", receivedAtMs: start, events }]);
    const flood = (n: number) => Array.from({ length: n }, () => bought(start + 1));
    receive([exposed(), ...flood(5_000)]);
    expect(shard.counted.populations.size).toBe(3);
    receive(flood(1));
    expect(shard.counted.populations.size).toBe(0);
    expect(shard.counted.cells.size).toBe(0);
    expect(Object.fromEntries(shard.counted.tallies)).toEqual({ '["e","checkout",1,"hot",""]': 1 });
    expect(receive(flood(60_000))).toEqual([]);
    expect([...shard.stored.values()].join("").length).toBeLessThan(200);
  });
});

describe("how exposures came", () => {
  const web = { sdk: "shop-web/2.1", timeMs: start + 1 };
  const app = { sdk: "shop-app/7", source: "client", timeMs: start + 1 } as const;

  test("is that of the first, in populations alone", () => {
    const { origins, cells } = counted(planOf(), [exposed(app), bought(start + 2)], [exposed()]);
    expect(origins).toEqual({
      [`1 control source server ${startHour}`]: 1,
      [`1 control sdk unknown ${startHour}`]: 1,
    });
    expect(cells).toEqual({ [cellAt("control")]: once });
  });

  test("of two at one time is the same one whichever was told first", () => {
    const both = [[exposed(web)], [exposed(app)]];
    const { origins } = counted(planOf(), ...both);
    expect(origins).toEqual({
      [`1 control source client ${startHour}`]: 1,
      [`1 control sdk shop-app/7 ${startHour}`]: 1,
    });
    expect(counted(planOf(), ...both.toReversed()).origins).toEqual(origins);
  });

  test("leaves with a unit that is quarantined", () => {
    const { origins } = counted(planOf(), [exposed(web)], [exposed({ variant: "one_page" })]);
    expect(origins).toEqual({});
  });
});

describe("which outcomes count", () => {
  test("from the first exposure on, and no longer when the window has closed", () => {
    const at = (...times: number[]) =>
      counted(planOf(), [exposed(), ...times.map((timeMs) => bought(timeMs))]).cells;
    expect(at(start - 1, start + 72 * hour)).toEqual({});
    expect(at(start)).toEqual({ [cellAt("control")]: once });
    expect(at(start + 72 * hour - 1)).toEqual({ [cellAt("control")]: once });
  });

  test("the earlier exposure second: population and cells move to its cohort", () => {
    const { populations, cells } = counted(
      planOf(),
      [exposed({ timeMs: start + 5 * hour }), bought(start + 6 * hour)],
      [exposed()],
    );
    expect(populations).toEqual({ [populationAt("control")]: 1 });
    expect(cells).toEqual({ [cellAt("control")]: once });
  });

  test("an earlier exposure closes the window earlier and takes outcomes out again", () => {
    const metrics: CountedMetric[] = [{ ...purchased, type: "mean", aggregation: "sum" }];
    const plan = planOf({ metrics });
    const { cells } = counted(
      plan,
      [
        exposed({ timeMs: start + 24 * hour }),
        bought(start + 30 * hour, 4),
        bought(start + 80 * hour, 16),
      ],
      [exposed()],
    );
    expect(cells).toEqual({ [cellAt("control")]: [4, 16, 0, 0, 0, 0, 0, 0] });
  });

  test("the same id with another payload: the first wins, within its unit only", () => {
    const metrics: CountedMetric[] = [{ ...purchased, type: "mean", aggregation: "sum" }];
    const { cells } = counted(
      planOf({ metrics }),
      [exposed(), exposed({ unit: "u2" }), bought(start, 3, { id: "x" })],
      [bought(start, 8, { id: "x" }), bought(start, 5, { id: "x", unit: "u2" })],
    );
    expect(cells).toEqual({ [cellAt("control")]: [8, 34, 0, 0, 0, 0, 0, 0] });
  });

  test("an outcome that no metric reads writes nothing", () => {
    const shard = foldedShard();
    const events = [bought(start, 1, { name: "scroll" })];
    expect(shard.receive([planOf()], [{ environment: "e", receivedAtMs: start, events }])).toEqual(
      [],
    );
    expect(shard.stored.size).toBe(0);
  });

  test("late events count and are tallied from 15 minutes after the cohort's window on", () => {
    const shard = foldedShard();
    const receive = (receivedAtMs: number, events: CountedEvent[]) =>
      shard.receive([planOf()], [{ environment: "e", receivedAtMs, events }]);
    const closed = start + hour + 72 * hour + 15 * minute;
    const within = (value: number) => bought(closed - 2 * hour - minute, value);
    receive(start, [exposed()]);
    receive(closed - minute, [within(1)]);
    expect(shard.counted.tallies.size).toBe(0);
    receive(closed, [bought(start + 70 * hour)]);
    receive(closed + day, [bought(start + 70 * hour, 1, { source: "import" })]);
    expect(Object.fromEntries(shard.counted.tallies)).toEqual({
      '["e","checkout",1,"late",""]': 1,
    });
  });

  test("outcomes older than window and margin are let go of, and not counted a second time", () => {
    const shard = foldedShard();
    const metrics: CountedMetric[] = [{ ...purchased, type: "mean", aggregation: "count" }];
    const receive = (events: CountedEvent[]) =>
      shard.receive(
        [planOf({ metrics })],
        [{ environment: "e", receivedAtMs: start + 400 * day, events }],
      );
    const state = () => [...shard.stored.values()].join("");
    const first = Array.from({ length: 60 }, (_, i) => bought(start + i));
    receive([exposed({ source: "import" }), ...first]);
    const before = state().length;
    receive([bought(start + 300 * day)]);
    expect(state().length).toBeLessThan(before / 3);
    expect(receive([...first, bought(start + 1)])).toEqual([]);
    expect([...shard.counted.cells.values()].map(([y]) => y)).toEqual([60]);
  });

  test("a unit with few outcomes keeps them, however old: an import may come in any order", () => {
    const newestFirst = [
      [bought(start + 300 * day), exposed({ timeMs: start + 300 * day })],
      [bought(start + 5)],
      [exposed()],
    ];
    const { cells, tallies } = counted(planOf(), ...newestFirst);
    expect(cells).toEqual({ [cellAt("control")]: once });
    expect(tallies).toEqual({ "2 earlier-phase ": 1 });
  });

  test("a unit in more experiments than a row can hold is treated as hot and holds nothing up", () => {
    const dimensions = ["a", "b", "c", "d"];
    const attributes = (of: string) =>
      Object.fromEntries(dimensions.map((name) => [name, `${of}${name}`.padEnd(100, "x")]));
    const experiments = Array.from({ length: 3_000 }, (_, i) =>
      planOf({ dimensions }).experiments.map((experiment) => ({ ...experiment, key: `e${i}` })),
    ).flat();
    const shard = foldedShard();
    const events = [
      exposed({ unit: "neighbour", experiment: experiments[0]?.key ?? "" }),
      ...experiments.map(({ key }) => exposed({ experiment: key, attributes: attributes(key) })),
    ];
    const batch = { environment: "e", receivedAtMs: start, events };
    shard.receive([{ ...planOf(), experiments }], [batch]);
    expect([...shard.counted.populations.values()]).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(Math.max(...[...shard.stored.values()].map((text) => text.length))).toBeLessThan(
      800_000,
    );
  });
});
