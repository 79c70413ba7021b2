/** A published snapshot of experiments on pages, and visits to pages of an origin that a test makes up. */

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { configKeys } from "../contracts/config-keys.ts";
import { compile, evaluate } from "../core/index.ts";
import type { Experiment, Flag, JsonObject, Snapshot } from "../core/index.ts";
import type { ExposureEvent } from "../counting/types.ts";
import { pageNotes } from "../html/notes.ts";
import type { EdgewiseOptions, Services } from "../html/options.ts";
import { servicesOf } from "../html/options.ts";
import { servePage } from "../html/serve-page.ts";
import type { Origin } from "../html/serve-page.ts";

const nowMs = Date.UTC(2026, 0, 1);
const everywhere: JsonObject[] = [{ glob: "/*" }];
const whole: Experiment["slots"] = [[0, 10_000]];

interface OnPages {
  flag: Flag;
  experiment: Experiment;
}

/** An experiment whose variants, of equal weight and the first the control, make these edits; a flag of the same key. */
export function onPages(
  key: string,
  variants: Record<string, readonly JsonObject[]>,
  { urls = everywhere, slots = whole }: { urls?: JsonObject[]; slots?: Experiment["slots"] } = {},
): OnPages {
  const names = Object.keys(variants);
  const [control = ""] = names;
  return {
    flag: {
      key,
      type: "object",
      variants: Object.entries(variants).map(([variant, edits]) => ({
        key: variant,
        value: edits.length === 0 ? {} : { pageEdits: [{ urls, edits: [...edits] }] },
      })),
      defaultVariant: control,
      enabled: true,
      salt: `${key} flag`,
      rules: [{ experiment: key }],
    },
    experiment: {
      key,
      hashVersion: 1,
      phase: 1,
      salt: `${key} salt`,
      unit: "targetingKey",
      control,
      variants: names.map((variant) => ({ variant, weightBasisPoints: 10_000 / names.length })),
      layer: null,
      layerSalt: `${key} layer`,
      slots,
      dimensions: ["device"],
    },
  };
}

let version = 0;

/** Published under an environment of its own. */
export async function published(
  made: readonly { flag: Flag; experiment?: Experiment }[],
): Promise<{ name: string; id: string }> {
  version += 1;
  const id = `pages-${version}-${crypto.randomUUID()}`;
  const snapshot: Snapshot = {
    formatVersion: 1,
    environment: id,
    version,
    flags: made.map(({ flag }) => flag),
    experiments: made.flatMap(({ experiment }) => experiment ?? []),
    holdouts: [],
    segments: [],
  };
  await env.CONFIG.put(configKeys.snapshot(id), JSON.stringify(snapshot));
  await env.CONFIG.put(configKeys.environment(`${id}/production`), id);
  return { name: `${id}/production`, id };
}

const htmlHeaders = { "content-type": "text/html; charset=utf-8" };

export function htmlOf(body: string | ReadableStream, headers: Record<string, string> = {}) {
  return new Response(body, { headers: { ...htmlHeaders, ...headers } });
}

/** @param failure what the origin breaks off with, after all of them */
export function streamOf(
  chunks: readonly (string | Uint8Array)[],
  failure?: Error,
): ReadableStream {
  const left = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift();
      if (chunk !== undefined) {
        controller.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
      } else if (failure === undefined) controller.close();
      else controller.error(failure);
    },
  });
}

export interface Visit {
  response: Response;
  text: string;
  /** What was sent for this page, when all was delivered. */
  exposures: ExposureEvent[];
}

/** The middleware's parts, with exposures and notes kept for the test to see. */
export async function site(
  made: readonly { flag: Flag; experiment?: Experiment }[],
  behaviour: Omit<EdgewiseOptions, "config" | "exposures"> = {},
) {
  const { name } = await published(made);
  const noted: string[] = [];
  const notes = pageNotes(() => nowMs);
  const services: Services = {
    ...servicesOf(
      {
        ...behaviour,
        config: { kv: env.CONFIG, environment: name },
        exposures: { queues: [env.EVENTS_0, env.EVENTS_1] },
      },
      () => nowMs,
    ),
    notes: {
      note(reason, detail) {
        noted.push(reason);
        notes.note(reason, detail);
      },
    },
  };
  const visit = async (
    request: Request | string,
    origin: Origin | string,
    read?: (response: Response) => Promise<unknown>,
    by: Services = services,
  ): Promise<Visit> => {
    const asked = typeof request === "string" ? visitBy(request) : request;
    const answer: Origin = typeof origin === "function" ? origin : async () => htmlOf(origin);
    const exposures: ExposureEvent[] = [];
    const keeping: Services = {
      ...by,
      exposures: { send: (_decided, met) => exposures.push(...met) },
    };
    const context = createExecutionContext();
    const response = await servePage(asked, answer, keeping, (work) => context.waitUntil(work));
    const text = read === undefined ? await response.clone().text() : "";
    await read?.(response);
    await waitOnExecutionContext(context);
    return { response, text, exposures };
  };
  return { visit, noted, services };
}

/** A request of a visitor whose cookie says this id. */
export function visitBy(unit: string, path = "/", headers: Record<string, string> = {}): Request {
  return new Request(`https://shop.example${path}`, {
    headers: { cookie: `edgewise_visitor=${unit}`, accept: "text/html", ...headers },
  });
}

/** The nth visitor's id, in the form that is minted. */
export function visitorId(n: number): string {
  return `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
}

/** What core alone gives each unit. */
export function assignment({ flag, experiment }: OnPages): (unit: string) => string {
  const compiled = compile({
    formatVersion: 1,
    environment: "e",
    version: 1,
    flags: [flag],
    experiments: [experiment],
    holdouts: [],
    segments: [],
  });
  return (targetingKey) => evaluate(compiled, flag.key, { targetingKey }).variant ?? "";
}

/** Visitors that the experiment gives this variant. */
export function unitsIn(variant: string, made: OnPages): string[] {
  const assigned = assignment(made);
  return Array.from({ length: 40 }, (_, n) => visitorId(n)).filter(
    (unit) => assigned(unit) === variant,
  );
}
