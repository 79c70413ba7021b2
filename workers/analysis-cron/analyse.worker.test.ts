import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { CellStore, ShardFigures } from "../../stores/cell-store.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import type { LedgerStore } from "../../stores/ledger-store.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { newEnvironment, requestOf } from "../../test/control-database.ts";
import { at, atMs, startedOf } from "../../test/control-state.ts";
import { cellsOf } from "../../test/worker-cells.ts";
import { analyse } from "./analyse.ts";
import type { Services } from "./analyse.ts";

const hourMs = 3_600_000;
const definitions = definitionStore(env.CONTROL);
const ledger = ledgerStore(env.CONTROL);
const webhooks = webhookStore(env.CONTROL);
const experiment = "checkout";

/** Units and conversions of one cohort at the start; the plan is for 1,000 units, its window 72 hours. */
function counted(units: Record<string, [n: number, purchased: number]>): CellStore {
  const variants = Object.entries(units).map(
    ([variant, [n, purchased]]) => [variant, { n, sums: { purchased } }] as const,
  );
  return cellsOf({
    experiment,
    cohortStart: Math.floor(atMs / hourMs),
    variants: Object.fromEntries(variants),
  });
}

const won = counted({ control: [400, 120], one_page: [400, 200] });

function services(cells: CellStore, more: Partial<Services> = {}): Services {
  return {
    definitions,
    ledger,
    cells,
    publisher: { publish: () => Promise.resolve() },
    newId: () => crypto.randomUUID(),
    nowMs: () => atMs + 80 * hourMs,
    ...more,
  };
}

type Work = Parameters<typeof analyse>[1];

/** An environment with the experiment running, and a webhook for everything. */
async function started(): Promise<Work> {
  const environment = await newEnvironment(env.CONTROL);
  const record = startedOf();
  const write = { entity: "experiment", record } as const;
  await definitions.change(requestOf(environment), () => ({
    ok: true,
    value: { action: "start", writes: [write], value: record },
  }));
  await webhooks.add(requestOf(environment), {
    id: `hook-of-${environment}`,
    url: "https://hooks.acme.com",
    events: ["boundary.crossed", "sample-ratio.mismatched", "plan.completed"],
    createdAt: at,
    secret: "whsec_c2VjcmV0",
  });
  return { environment, experiments: [experiment], asOfMs: atMs + 80 * hourMs };
}

const looksOf = ({ environment }: Work) => ledger.looks({ environment, experiment, phase: 1 });

async function toldOf({ environment }: Work): Promise<string[]> {
  const webhook = await webhooks.webhook(environment, `hook-of-${environment}`);
  return (webhook?.deliveries ?? []).map(({ type }) => type).toSorted();
}

const failing = (method: keyof LedgerStore): LedgerStore => ({
  ...ledger,
  [method]: () => Promise.reject(new Error("D1 is down")),
});

test("two analyses at the same time take one look, tell it once, and both leave the same answer", async () => {
  const work = await started();
  await Promise.all([analyse(services(won), work), analyse(services(won), work)]);
  expect(await looksOf(work)).toHaveLength(1);
  expect(await toldOf(work)).toEqual(["boundary.crossed", "plan.completed"]);
  const refreshed = await ledger.refresh(work.environment, experiment);
  expect(refreshed?.body).toContain('"action":"ship"');
});

test("a database that fails while the look is written leaves nothing of it; the next run takes it", async () => {
  const work = await started();
  const broken = services(won, { ledger: failing("append") });
  const down = { experiment, error: new Error("D1 is down") };
  expect(await analyse(broken, work)).toEqual([down]);
  expect(await looksOf(work)).toEqual([]);
  expect(await toldOf(work)).toEqual([]);
  await analyse(services(won), work);
  expect(await looksOf(work)).toHaveLength(1);
});

test("killed after the look and before the answer: the next run finishes it, without a second look or notice", async () => {
  const work = await started();
  const killed = services(won, { ledger: failing("saveAll") });
  await expect(analyse(killed, work)).rejects.toThrow("D1 is down");
  const before = await looksOf(work);
  expect(before).toHaveLength(1);
  expect(await ledger.refresh(work.environment, experiment)).toBeNull();
  await analyse(services(won), { ...work, asOfMs: work.asOfMs + 60_000 });
  expect(await looksOf(work)).toEqual(before);
  expect(await toldOf(work)).toEqual(["boundary.crossed", "plan.completed"]);
  expect(await ledger.refresh(work.environment, experiment)).not.toBeNull();
});

test("events that come late for a look's units change the answer, and not a byte of the ledger", async () => {
  const work = await started();
  const few = counted({ control: [150, 110], one_page: [150, 104] });
  await analyse(services(few), work);
  const bytes = async () => JSON.stringify(await looksOf(work));
  const before = await bytes();
  const late = counted({ control: [150, 110], one_page: [151, 150] });
  await analyse(services(late), { ...work, asOfMs: work.asOfMs + 60_000 });
  expect(await bytes()).toBe(before);
  const refreshed = await ledger.refresh(work.environment, experiment);
  expect(refreshed?.body).toContain('"sum":150');
});

test("a sample-ratio mismatch is told once, however often it is seen", async () => {
  const work = await started();
  const skewed = counted({ control: [500, 60], one_page: [200, 20] });
  await analyse(services(skewed), work);
  await analyse(services(skewed), { ...work, asOfMs: work.asOfMs + 60_000 });
  expect(await toldOf(work)).toEqual(["sample-ratio.mismatched"]);
});

test("of several experiments one that fails holds up no other; what is not there is left out", async () => {
  const work = await started();
  const { environment } = work;
  const record = { ...startedOf({ key: "torn" }), id: "torn" };
  await definitions.change(requestOf(environment), () => ({
    ok: true,
    value: { action: "start", writes: [{ entity: "experiment", record }], value: record },
  }));
  const figures = await won.readMany(environment, []);
  const cells: CellStore = {
    ...won,
    readMany: () =>
      Promise.resolve(
        new Map([
          [experiment, figures.get(experiment) ?? []],
          ["torn", [{ ...(figures.get(experiment)?.[0] as ShardFigures), tallies: null as never }]],
        ]),
      ),
  };
  const failures = await analyse(services(cells), {
    ...work,
    experiments: ["torn", experiment, "nowhere"],
  });
  expect(failures.map((each) => each.experiment)).toEqual(["torn"]);
  expect(await ledger.refresh(environment, experiment)).not.toBeNull();
  expect(await ledger.refresh(environment, "torn")).toBeNull();
});
