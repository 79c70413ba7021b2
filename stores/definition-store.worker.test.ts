import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { refuse } from "../contracts/problem.ts";
import type { DefinitionWrite, Write } from "../control/environment-state.ts";
import {
  archived,
  at,
  definitionOf,
  draftOf,
  startedOf,
  storedFlagOf,
} from "../test/control-state.ts";
import { metricNamed, newEnvironment, requestOf } from "../test/control-database.ts";
import { definitionStore } from "./definition-store.ts";
import { environmentStore } from "./environment-store.ts";

const store = definitionStore(env.CONTROL);

const versionOf = async (id: string) =>
  (await environmentStore(env.CONTROL).environment(id))?.version;
const auditOf = (id: string) => environmentStore(env.CONTROL).audit(id, 100);
const put = (environment: string, ...writes: [Write, ...Write[]]) =>
  store.change(requestOf(environment), () => ({
    ok: true,
    value: { action: "create", writes, value: null },
  }));

test("what is written is read back, by key, in a list and in the reading of everything", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const writes: [DefinitionWrite, ...DefinitionWrite[]] = [
    {
      entity: "flag",
      definition: definitionOf(
        storedFlagOf({
          offVariant: "light",
          overrides: { dark: ["user-7"] },
          rules: [
            { when: { country: "US" }, serve: "dark" },
            { rollout: 12.5, split: [{ variant: "dark", weight: 33.33 }] },
            { experiment: "checkout" },
          ],
        }),
      ),
    },
    { entity: "layer", definition: definitionOf({ key: "page", name: "Page", salt: "s" }) },
    {
      entity: "holdout",
      definition: definitionOf({
        key: "quiet",
        salt: "s",
        unit: "user",
        basisPoints: 100,
        layer: "page",
      }),
    },
    { entity: "segment", definition: definitionOf({ key: "staff", values: ["a", 7, true] }) },
  ];
  await put(environment, ...writes, { entity: "experiment", record: startedOf() });
  const state = await store.state(environment);
  expect([state?.flags, state?.layers, state?.holdouts, state?.segments]).toEqual(
    writes.map(({ definition }) => [definition]),
  );
  expect(state?.experiments).toEqual([startedOf()]);
  expect(state).toMatchObject({ id: environment, version: 2, metrics: [] });
  for (const { entity, definition } of writes) {
    expect(await store.definition(environment, entity, definition.body.key)).toEqual(definition);
    expect(await store.definitions(environment, entity)).toEqual([definition]);
  }
  expect(await store.experiment(environment, "checkout")).toEqual(startedOf());
});

test("an archived definition is in the reading of everything alone, so that its key is known to be used", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const definition = archived({ key: "gone", values: [] });
  await put(environment, { entity: "segment", definition });
  expect(await store.definition(environment, "segment", "gone")).toBeNull();
  expect(await store.definitions(environment, "segment")).toEqual([]);
  expect((await store.state(environment))?.segments).toEqual([definition]);
});

test("one key of two kinds, or of two environments, is two definitions", async () => {
  const [one, other] = [await newEnvironment(env.CONTROL), await newEnvironment(env.CONTROL)];
  await put(one, { entity: "segment", definition: definitionOf({ key: "same", values: [1] }) });
  await put(one, { entity: "layer", definition: definitionOf({ key: "same", salt: "s" }) });
  await put(other, { entity: "segment", definition: definitionOf({ key: "same", values: [2] }) });
  expect((await store.definition(one, "segment", "same"))?.body.values).toEqual([1]);
  expect((await store.definition(one, "layer", "same"))?.body.salt).toBe("s");
  expect((await store.definition(other, "segment", "same"))?.body.values).toEqual([2]);
});

describe("a change", () => {
  test("makes the environment's next version and its audit row, in one batch with what it writes", async () => {
    const environment = await newEnvironment(env.CONTROL);
    await store.change(requestOf(environment, { actor: "key-1" }), () => ({
      ok: true,
      value: {
        action: "start",
        reason: "reviewed",
        writes: [
          { entity: "experiment", record: draftOf() },
          { entity: "flag", definition: definitionOf(storedFlagOf()) },
        ],
        value: null,
      },
    }));
    expect(await versionOf(environment)).toBe(2);
    expect(await auditOf(environment)).toEqual([
      {
        id: expect.any(String),
        environmentId: environment,
        version: 2,
        at,
        actor: "key-1",
        action: "start",
        entity: "experiment",
        entityKey: "checkout",
        reason: "reviewed",
        after: JSON.stringify(draftOf()),
      },
    ]);
  });

  test("that fails in its last statement leaves no version, no audit row and nothing written", async () => {
    const environment = await newEnvironment(env.CONTROL);
    const definition = definitionOf({ key: "ok", values: [] });
    const broken = {
      ...definitionOf({ key: "broken", values: [] }),
      id: null as unknown as string,
    };
    await expect(
      put(
        environment,
        { entity: "segment", definition },
        { entity: "segment", definition: broken },
      ),
    ).rejects.toThrow();
    expect(await versionOf(environment)).toBe(1);
    expect(await auditOf(environment)).toEqual([]);
    expect(await store.definitions(environment, "segment")).toEqual([]);
  });

  test("that is refused writes nothing", async () => {
    const environment = await newEnvironment(env.CONTROL);
    const refusal = refuse("conflict", "no");
    expect(await store.change(requestOf(environment), () => refusal)).toEqual(refusal);
    expect(await versionOf(environment)).toBe(1);
    expect(await auditOf(environment)).toEqual([]);
  });

  test("of an environment that does not exist is refused", async () => {
    expect(await store.change(requestOf("no-such"), metricNamed("a"))).toMatchObject({
      ok: false,
      problem: { code: "not-found" },
    });
  });
});

describe("two changes at once", () => {
  test("are both applied, one after the other: two versions, two audit rows", async () => {
    const environment = await newEnvironment(env.CONTROL);
    const changes = await Promise.all(
      ["a", "b"].map((key) => store.change(requestOf(environment), metricNamed(key))),
    );
    expect(changes.map(({ ok }) => ok)).toEqual([true, true]);
    expect(await versionOf(environment)).toBe(3);
    expect((await auditOf(environment)).map((row) => row.version)).toEqual([3, 2]);
    expect((await store.definitions(environment, "metric")).map(({ body }) => body.key)).toEqual([
      "a",
      "b",
    ]);
  });

  test("of the same definition: who is overtaken decides again, on what the other left", async () => {
    const environment = await newEnvironment(env.CONTROL);
    await store.change(requestOf(environment), metricNamed("a"));
    const raced = definitionStore(
      beforeBatch(2, async () => {
        await store.change(requestOf(environment), metricNamed("a"));
      }),
    );
    const seen: (number | undefined)[] = [];
    const result = await raced.change(requestOf(environment), (state) => {
      seen.push(state.metrics[0]?.version);
      return metricNamed("a")(state);
    });
    expect(result.ok).toBe(true);
    expect(seen).toEqual([1, 2]);
    expect((await store.definition(environment, "metric", "a"))?.version).toBe(3);
    expect((await auditOf(environment)).map((row) => row.version)).toEqual([4, 3, 2]);
  });

  test("that never win give up, having changed nothing of their own", async () => {
    const environment = await newEnvironment(env.CONTROL);
    let others = 0;
    const always = definitionStore(
      beforeBatch(null, async () => {
        others += 1;
        await store.change(requestOf(environment), metricNamed(`other-${others}`));
      }),
    );
    expect(await always.change(requestOf(environment), metricNamed("mine"))).toMatchObject({
      ok: false,
      problem: { code: "unavailable", retryAfterSeconds: 1 },
    });
    expect(await store.definition(environment, "metric", "mine")).toBeNull();
    expect(await versionOf(environment)).toBe(1 + others);
  });
});

/** CONTROL with something happening before its nth batch, or before each: a change reads in one and writes in the next. */
function beforeBatch(nth: number | null, happen: () => Promise<void>): D1Database {
  let batches = 0;
  return Object.create(env.CONTROL, {
    prepare: { value: (sql: string) => env.CONTROL.prepare(sql) },
    batch: {
      value: async (statements: D1PreparedStatement[]) => {
        batches += 1;
        if (nth === null || batches === nth) await happen();
        return env.CONTROL.batch(statements);
      },
    },
  }) as D1Database;
}
