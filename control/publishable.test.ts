import { describe, expect, test } from "vitest";
import { limits } from "../contracts/limits.ts";
import { archived, definitionOf, draftOf, stateOf, storedFlagOf } from "../test/control-state.ts";
import type { Decision, EnvironmentState, Write } from "./environment-state.ts";
import { publishable } from "./publishable.ts";

const decisionOf = (...writes: [Write, ...Write[]]): Decision<null> => ({
  action: "create",
  writes,
  value: null,
});
const needing = (key: string, ...needed: string[]) =>
  definitionOf(
    storedFlagOf({ key, prerequisites: needed.map((flag) => ({ flag, variants: ["dark"] })) }),
  );
const judge = (state: Partial<EnvironmentState>, ...writes: [Write, ...Write[]]) =>
  publishable(stateOf(state), decisionOf(...writes));

test("what can be served passes as it is", () => {
  const decision = decisionOf({ entity: "experiment", record: draftOf() });
  expect(publishable(stateOf(), decision)).toEqual({ ok: true, value: decision });
});

describe("prerequisites", () => {
  test("in a cycle are refused, naming the way round", () => {
    const flags = [needing("a", "b"), needing("b", "c"), needing("c")];
    const write = { entity: "flag", definition: needing("c", "a") } as const;
    expect(judge({ flags }, write)).toMatchObject({
      ok: false,
      problem: {
        errors: [
          {
            pointer: "/prerequisites",
            detail: expect.stringMatching(/(a → b → c → a|b → c → a → b|c → a → b → c)/),
          },
        ],
      },
    });
    const flagsWithout = flags.map((flag) => (flag.body.key === "b" ? archived(flag.body) : flag));
    expect(judge({ flags: flagsWithout }, write).ok).toBe(true);
  });

  test("nested too deep for evaluation are refused, naming a flag that could not be evaluated", () => {
    const chain = Array.from({ length: 101 }, (_, i) =>
      needing(`f${i}`, ...(i === 0 ? [] : [`f${i - 1}`])),
    );
    const write = (i: number) =>
      ({ entity: "flag", definition: needing(`f${i}`, `f${i - 1}`) }) as const;
    expect(judge({ flags: chain.slice(0, 100) }, write(100)).ok).toBe(true);
    expect(judge({ flags: chain }, write(101))).toMatchObject({
      problem: { errors: [{ pointer: "/prerequisites", detail: expect.stringContaining("f101") }] },
    });
  });
});

test("a snapshot larger than KV holds is refused, in bytes of UTF-8, naming its largest part", () => {
  const half = definitionOf({ key: "first", values: ["x".repeat(limits.snapshotBytes / 2)] });
  const write = (values: string[]) =>
    ({ entity: "segment", definition: definitionOf({ key: "second", values }) }) as const;
  const letters = limits.snapshotBytes / 2 - 1_000;
  expect(judge({ segments: [half] }, write(["y".repeat(letters)])).ok).toBe(true);
  expect(judge({ segments: [half] }, write(["é".repeat(letters)]))).toMatchObject({
    ok: false,
    problem: {
      code: "not-possible",
      detail: expect.stringMatching(/snapshot would take \d+ bytes .* the segment second/),
    },
  });
});

test("a counting plan larger than KV holds is refused", () => {
  const metrics = [
    definitionOf({
      key: "m",
      type: "mean",
      event: "e".repeat(limits.snapshotBytes),
      direction: "increase",
    } as const),
  ];
  expect(judge({ metrics }, { entity: "experiment", record: draftOf() })).toMatchObject({
    problem: { detail: expect.stringContaining("counting plan") },
  });
});
