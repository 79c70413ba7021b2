/** An analysis that takes a look and pauses for harm, ended or made to fail at each of its operations in turn; then the cron comes round again. */

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { configKeys } from "../../contracts/config-keys.ts";
import { definitionStore } from "../../stores/definition-store.ts";
import { environmentStore } from "../../stores/environment-store.ts";
import { ledgerStore } from "../../stores/ledger-store.ts";
import { publisher } from "../../stores/publisher.ts";
import { webhookStore } from "../../stores/webhook-store.ts";
import { newEnvironment, requestOf } from "../../test/control-database.ts";
import { at, atMs } from "../../test/control-state.ts";
import { cellsOf } from "../../test/worker-cells.ts";
import { guardedExperiment } from "../../test/guarded-experiment.ts";
import { analyse } from "./analyse.ts";
import type { Services } from "./analyse.ts";
import { repair } from "./repair.ts";

const hourMs = 3_600_000;
const experiment = "checkout";
const asOfMs = atMs + 80 * hourMs;

/** Not done, or done while its answer is lost. */
type Moment = "before" | "after";
/** Everything after it fails as well, or nothing else. */
type Fault = "killed" | "failing";

/** The bindings, of which one operation fails: the `nth`, from 0 on. */
function faulty(nth: number, moment: Moment, fault: Fault) {
  let operations = 0;
  const run = async (call: () => Promise<unknown>): Promise<unknown> => {
    const operation = operations++;
    const isDead = fault === "killed" && operation > nth;
    if (isDead || (operation === nth && moment === "before")) throw new Error("not done");
    const result = await call();
    if (operation === nth) throw new Error("done, and the answer lost");
    return result;
  };
  const originals = new WeakMap<object, object>();
  const wrap = <T extends object>(binding: T): T => {
    const proxy = new Proxy(binding, {
      get(target, property) {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== "function") return member;
        return (...given: unknown[]) => {
          const original = (one: unknown): unknown =>
            Array.isArray(one) ? one.map(original) : (originals.get(one as object) ?? one);
          const call = () => Reflect.apply(member, target, given.map(original)) as unknown;
          return property === "prepare" || property === "bind"
            ? wrap(call() as object)
            : run(call as () => Promise<unknown>);
        };
      },
    });
    originals.set(proxy, binding);
    return proxy;
  };
  return { control: wrap(env.CONTROL), config: wrap(env.CONFIG), operations: () => operations };
}

/** Won clearly, and harmful clearly: the plan's only look is due, and the guardrail alarms. */
const cells = cellsOf({
  experiment,
  cohortStart: Math.floor(atMs / hourMs),
  variants: {
    control: { n: 400, sums: { purchased: 120, errors: 20 } },
    one_page: { n: 400, sums: { purchased: 200, errors: 120 } },
  },
});

function servicesOn(control: D1Database, config: KVNamespace): Services {
  const definitions = definitionStore(control);
  return {
    definitions,
    ledger: ledgerStore(control),
    cells,
    publisher: publisher(config, definitions, environmentStore(control)),
    newId: () => crypto.randomUUID(),
    nowMs: () => asOfMs,
  };
}

async function started(): Promise<string> {
  const environment = await newEnvironment(env.CONTROL);
  const guarded = guardedExperiment();
  await definitionStore(env.CONTROL).change(requestOf(environment), () => ({
    ok: true,
    value: {
      action: "start",
      writes: [{ entity: "experiment", record: guarded }],
      value: guarded,
    },
  }));
  await webhookStore(env.CONTROL).add(requestOf(environment), {
    id: `hook-of-${environment}`,
    url: "https://hooks.acme.com",
    events: ["guardrail.breached", "boundary.crossed", "plan.completed"],
    createdAt: at,
    secret: "whsec_c2VjcmV0",
  });
  return environment;
}

/** What is there in the end. */
async function outcomeOf(environment: string) {
  const ledger = ledgerStore(env.CONTROL);
  const environments = environmentStore(env.CONTROL);
  const audit = await environments.audit(environment, 20);
  const webhook = await webhookStore(env.CONTROL).webhook(environment, `hook-of-${environment}`);
  const { metadata } = await env.CONFIG.getWithMetadata<{ version: number }>(
    configKeys.snapshot(environment),
  );
  const refreshed = await ledger.refresh(environment, experiment);
  return {
    looks: (await ledger.looks({ environment, experiment, phase: 1 })).length,
    pauses: audit.filter(({ action }) => action === "pause").length,
    told: (webhook?.deliveries ?? []).map(({ type }) => type).toSorted(),
    isPublished: metadata?.version === (await environments.environment(environment))?.version,
    answer: /"status":"(\w+)"/.exec(refreshed?.body ?? "")?.[1],
  };
}

test("whatever operation of D1 or KV fails, before or after it was done, and whether or not the process ends there: one look, one pause, each told once, published, answered", async () => {
  const whole = faulty(Infinity, "before", "killed");
  const undisturbed = await started();
  const work = { experiments: [experiment], asOfMs };
  const services = servicesOn(whole.control, whole.config);
  expect(await analyse(services, { ...work, environment: undisturbed })).toEqual([]);
  const expected = {
    looks: 1,
    pauses: 1,
    told: ["boundary.crossed", "guardrail.breached", "plan.completed"],
    isPublished: true,
    answer: "paused",
  };
  expect(await outcomeOf(undisturbed)).toEqual(expected);
  expect(whole.operations()).toBeGreaterThan(10);

  const healthy = servicesOn(env.CONTROL, env.CONFIG);
  const off: unknown[] = [];
  let disturbed = 0;
  for (const fault of ["killed", "failing"] as const) {
    for (const moment of ["before", "after"] as const) {
      for (let nth = 0; nth < whole.operations(); nth++) {
        const environment = await started();
        const { control, config } = faulty(nth, moment, fault);
        const isWhole = await analyse(servicesOn(control, config), { ...work, environment }).then(
          (failures) => failures.length === 0,
          () => false,
        );
        if (!isWhole) disturbed += 1;
        // The cron's next round.
        await repair(environmentStore(env.CONTROL), publisherOf(environment));
        await analyse(healthy, { ...work, environment, asOfMs: asOfMs + 60_000 });
        const outcome = await outcomeOf(environment);
        if (JSON.stringify(outcome) !== JSON.stringify(expected)) {
          off.push({ fault, moment, nth, outcome });
        }
      }
    }
  }
  expect(off).toEqual([]);
  expect(disturbed).toBeGreaterThan(20);
}, 60_000);

/** Of that environment alone: other tests have theirs in the same database. */
function publisherOf(environment: string) {
  const real = publisher(env.CONFIG, definitionStore(env.CONTROL), environmentStore(env.CONTROL));
  return {
    publish: (id: string) => (id === environment ? real.publish(id) : Promise.resolve()),
    publishKey: () => Promise.resolve(),
  };
}
