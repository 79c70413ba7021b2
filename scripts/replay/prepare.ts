/** The experiment and metrics that a replay fills: those that exist, or, when told to create them, made from what the file holds. */

import * as z from "zod/mini";
import { UsageError } from "../local/options.ts";
import type { Api } from "./api.ts";
import type { Survey } from "./survey.ts";

export interface PrepareOptions {
  experiment: string;
  create: boolean;
  /** Null: the first variant of the file in alphabetical order. */
  control: string | null;
  days: number;
  windowHours: number;
}

export interface Prepared {
  startedAtMs: number;
  /** The outcome's name, by metric. */
  events: ReadonlyMap<string, string>;
}

const metricAnswer = z.object({ key: z.string(), event: z.string() });
const experimentAnswer = z.object({
  status: z.string(),
  unit: z.string(),
  startedAt: z.nullable(z.string()),
  variants: z.array(z.object({ key: z.string() })),
});

const mostLooks = 100;

export async function prepare(
  api: Api,
  { types, variants, rows }: Survey,
  options: PrepareOptions,
): Promise<Prepared> {
  const events = new Map<string, string>();
  for (const [key, type] of types) {
    const { windowHours, create } = options;
    const metric =
      (await api.get(`/metrics/${key}`, metricAnswer)) ??
      (create
        ? await api.post("/metrics", { key, type, event: key, windowHours }, metricAnswer)
        : refuseMissing(`metric ${key}`));
    const sharing = [...events].find(([, event]) => event === metric.event);
    if (sharing !== undefined) {
      throw new UsageError(
        `the metrics ${sharing[0]} and ${key} both read the event ${metric.event}, and each column would count in both; replay them one by one into experiments of their own`,
      );
    }
    events.set(key, metric.event);
  }

  const path = `/experiments/${options.experiment}`;
  let experiment = await api.get(path, experimentAnswer);
  if (experiment === null) {
    if (!options.create) refuseMissing(`experiment ${options.experiment}`);
    const body = experimentBody({ types, variants, rows }, options);
    await api.post("/experiments", body, z.unknown());
    experiment = await api.post(`${path}/start`, { reason: "replay" }, experimentAnswer);
  }
  const { startedAt } = experiment;
  if (startedAt === null) {
    throw new UsageError(`${options.experiment} is ${experiment.status}; start it, then replay`);
  }
  const known = new Set(experiment.variants.map(({ key }) => key));
  const unknown = [...variants.keys()].filter((key) => !known.has(key));
  if (unknown.length > 0) {
    throw new UsageError(
      `${options.experiment} has no variant ${unknown.join(", ")}; it has ${[...known].join(", ")}`,
    );
  }
  return { startedAtMs: Date.parse(startedAt), events };
}

function refuseMissing(what: string): never {
  throw new UsageError(`there is no ${what}; make it first, or say --create`);
}

/** Equal weights, because a file does not say what was planned; the first metric decides. */
function experimentBody(
  { types, variants, rows }: Pick<Survey, "types" | "variants" | "rows">,
  { experiment, control, days }: PrepareOptions,
): object {
  const keys = [...variants.keys()].toSorted();
  if (keys.length < 2) throw new UsageError("the file has fewer than two variants");
  const controlKey = control ?? keys[0];
  if (controlKey === undefined || !variants.has(controlKey)) {
    throw new UsageError(
      `--control: the file has no variant ${control ?? ""}; it has ${keys.join(", ")}`,
    );
  }
  const [primary, ...secondary] = types.keys();
  const each = Math.floor(10_000 / keys.length);
  return {
    key: experiment,
    name: experiment,
    variants: keys.map((key, index) => ({
      key,
      value: key,
      weight: (index === 0 ? 10_000 - each * (keys.length - 1) : each) / 100,
      isControl: key === controlKey,
    })),
    metrics: { primary: [primary], secondary },
    plan: { maximumSampleSize: rows, ...(days > 1 && { looks: Math.min(days, mostLooks) }) },
  };
}
