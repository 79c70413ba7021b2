import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Phase } from "../../contracts/phase.ts";
import type { ExperimentRecord } from "../../control/experiment.ts";
import { advanceExperiment } from "../../control/change-experiment.ts";
import type { CohortRows } from "../../counting/aggregate.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { newEnvironment, requestOf } from "../../test/control-database.ts";
import { atMs } from "../../test/control-state.ts";
import { guardedExperiment } from "../../test/guarded-experiment.ts";
import { guard } from "./guard.ts";
import type { GuardServices } from "./guard.ts";

const hourMs = 3_600_000;
const store = definitionStore(env.CONTROL);

async function started(environment: string): Promise<ExperimentRecord> {
  const guarded = guardedExperiment();
  await store.change(requestOf(environment), () => ({
    ok: true,
    value: {
      action: "start",
      writes: [{ entity: "experiment", record: guarded }],
      value: guarded,
    },
  }));
  return guarded;
}

/** All units of one cohort, `hours` after the start. */
function harm(hours: number, errors: { control: number; one_page: number }): CohortRows {
  const cohortStart = Math.floor(atMs / hourMs) + hours;
  const places = Object.entries(errors).map(([variant, y]) => ({
    place: { variant, dimension: "", value: "", cohortStart, cohortHours: 1 },
    y,
  }));
  const rest = { d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };
  return {
    populations: places.map(({ place }) => ({ ...place, n: 5_000 })),
    cells: places.map(({ place, y }) => ({ ...place, metric: "errors", y, yy: y, ...rest })),
  };
}

const bad = harm(0, { control: 500, one_page: 800 });
const asOfMs = atMs + 3 * hourMs;

function services(published: string[] = [], nowMs = asOfMs): GuardServices {
  return {
    definitions: store,
    publisher: {
      publish(environment) {
        published.push(environment);
        return Promise.resolve();
      },
    },
    newId: () => crypto.randomUUID(),
    nowMs: () => nowMs,
  };
}

function phaseOf(record: ExperimentRecord): Phase {
  const phase = record.phases.at(-1);
  if (phase === undefined) throw new Error("no phase");
  return phase;
}

const audit = (environment: string) => environmentStore(env.CONTROL).audit(environment, 10);

test("an alarm pauses as a person does: status, audit entry with the numbers, snapshot published", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const record = await started(environment);
  const published: string[] = [];
  const of = { environment, record, phase: phaseOf(record) };
  const paused = await guard(services(published), of, { rows: bad, asOfMs });
  expect(paused.status).toBe("paused");
  expect(await store.experiment(environment, record.key)).toEqual(paused);
  expect(phaseOf(paused).running).toEqual([[atMs, asOfMs]]);
  expect(published).toEqual([environment]);
  const [entry] = await audit(environment);
  expect(entry).toMatchObject({ actor: "cron", action: "pause", entityKey: record.key });
  expect(entry?.reason).toMatch(/errors of one_page is 0\.1600 of 5000 units against 0\.1000/);
  expect(await environmentStore(env.CONTROL).unpublishedEnvironments()).toContain(environment);
});

test("two analyses at once pause once; KV refusing the publication undoes nothing", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const record = await started(environment);
  const of = { environment, record, phase: phaseOf(record) };
  const failing = { ...services(), publisher: { publish: () => Promise.reject(new Error("KV")) } };
  const both = await Promise.all([
    guard(failing, of, { rows: bad, asOfMs }),
    guard(failing, of, { rows: bad, asOfMs }),
  ]);
  expect(both.map(({ status }) => status)).toEqual(["paused", "paused"]);
  const entries = await audit(environment);
  expect(entries.filter(({ action }) => action === "pause")).toHaveLength(1);
  expect(phaseOf(both[0]).breaches).toHaveLength(1);
});

test("a person resumes with a reason; the same data do not pause again, new harm does", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const record = await started(environment);
  const of = { environment, record, phase: phaseOf(record) };
  await guard(services(), of, { rows: bad, asOfMs });
  const resume = (reason?: string) =>
    store.change(requestOf(environment), (state) =>
      advanceExperiment(
        state,
        record.key,
        { action: "resume", ...(reason !== undefined && { reason }) },
        { at: new Date(asOfMs + hourMs).toISOString(), salt: "s", expected: null },
      ),
    );
  expect(await resume()).toMatchObject({ ok: false, problem: { code: "invalid-body" } });
  const resumed = await resume("the error was in the page's own counter, fixed");
  if (!resumed.ok) throw new Error(resumed.problem.detail);
  expect(resumed.value.status).toBe("running");

  const again = { environment, record: resumed.value, phase: phaseOf(resumed.value) };
  const later = asOfMs + 24 * hourMs;
  expect(await guard(services([], later), again, { rows: bad, asOfMs: later })).toEqual(
    resumed.value,
  );
  const anew = await guard(services([], later), again, {
    rows: harm(6, { control: 500, one_page: 800 }),
    asOfMs: later,
  });
  expect(anew.status).toBe("paused");
  expect(phaseOf(anew).breaches).toHaveLength(2);
});

test("an alarm while a person has paused it is recorded, so that resuming answers it", async () => {
  const environment = await newEnvironment(env.CONTROL);
  const record = await started(environment);
  const pausedByPerson = await store.change(requestOf(environment), (state) =>
    advanceExperiment(
      state,
      record.key,
      { action: "pause" },
      { at: new Date(asOfMs - hourMs).toISOString(), salt: "s", expected: null },
    ),
  );
  if (!pausedByPerson.ok) throw new Error(pausedByPerson.problem.detail);
  const paused = pausedByPerson.value;
  const of = { environment, record: paused, phase: phaseOf(paused) };
  const alarmed = await guard(services(), of, { rows: bad, asOfMs });
  expect(phaseOf(alarmed).running).toEqual([[atMs, asOfMs - hourMs]]);
  const [entry] = await audit(environment);
  expect(entry).toMatchObject({ action: "alarm", actor: "cron" });
});
