/**
 * One request through the middleware. The origin is asked exactly once, and whatever fails here, its answer is served: untouched when it
 * is no page that a flag changes, else with its body rewritten as it streams. Exposures are sent when the page has been delivered, or as
 * much of it as the visitor waited for.
 */

import type { Later } from "../contracts/api-key.ts";
import { completeContext } from "../http/complete-context.ts";
import { exposureEvent } from "../counting/exposure-event.ts";
import type { Exposure } from "../core/index.ts";
import type { ServedSnapshot } from "../stores/snapshot-store.ts";
import { pageKindOf } from "./charset.ts";
import { controlOf } from "./control-snapshot.ts";
import { configurationInTime } from "./configuration.ts";
import { contentSecurityPolicy } from "./csp.ts";
import { bootstrapElement, bootstrapOf, plannedEdits } from "./decide.ts";
import { deliveryOf } from "./delivery.ts";
import { makePersonal, mayAskForPage, unconditional } from "./page-headers.ts";
import { pageInput } from "./page-input.ts";
import { flagsAt } from "./page-rules.ts";
import type { PageFlag } from "./page-rules.ts";
import type { Services } from "./options.ts";
import { rewriterOf } from "./rewrite.ts";
import { visitorOf } from "./visitor.ts";

export type Origin = (request: Request) => Promise<Response>;

/** What is to be done with a page at an address that flags change. */
interface Applying {
  request: Request;
  snapshot: ServedSnapshot;
  flags: readonly PageFlag[];
  nowMs: number;
  later: Later;
}

export async function servePage(
  request: Request,
  origin: Origin,
  services: Services,
  later: Later,
): Promise<Response> {
  const { notes } = services;
  const applying = await failingOpen(() => applyingTo(request, services, later), notes);
  if (applying === null) return await origin(request);
  const response = await origin(mayAskForPage(request) ? unconditional(request) : request);
  return (await failingOpen(() => edited(response, applying, services), notes)) ?? response;
}

async function failingOpen<T>(
  work: () => Promise<T | null>,
  notes: Services["notes"],
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    notes.note("failed", String(error));
    return null;
  }
}

/** Null when no flag changes anything at this address. */
async function applyingTo(
  request: Request,
  services: Services,
  later: Later,
): Promise<Applying | null> {
  const nowMs = services.nowMs();
  const snapshot = await configurationInTime(services, nowMs, later);
  if (snapshot === null) {
    services.notes.note("no-configuration");
    return null;
  }
  const flags = flagsAt(new URL(request.url), snapshot.published, services.notes);
  const isPlain = flags.length === 0 && services.behaviour.bootstrap === undefined;
  return isPlain ? null : { request, snapshot, flags, nowMs, later };
}

/** Null when the response stays as it is. Takes its body only when nothing can fail any more but the stream itself. */
async function edited(
  response: Response,
  applying: Applying,
  services: Services,
): Promise<Response | null> {
  const kind = pageKindOf(response);
  if (kind === "no page") return null;
  if (kind !== "page" && kind !== "undeclared") {
    services.notes.note(kind);
    return null;
  }
  const { body } = response;
  if (body === null || applying.request.method === "HEAD") {
    return personal(response, null, null);
  }
  const { planned, bootstrap, setCookie, exposer } = await decided(applying, services);
  if (planned.length === 0 && bootstrap === null) {
    // Made of the origin's own, it tells likewise whether a body is compressed already.
    const made = new Response(body, response);
    makePersonal(made.headers, setCookie);
    return made;
  }
  const { later } = applying;
  const met = new Set<Exposure>();
  let rest: ReadableStream | null | undefined;
  const rewriter = rewriterOf(planned, {
    csp: contentSecurityPolicy(response.headers.get("content-security-policy")),
    notes: services.notes,
    met: ({ exposure }) => {
      if (exposure !== null) met.add(exposure);
    },
    bootstrap,
    rest: () => rest,
  });
  const delivery = deliveryOf(() => exposer(met));
  rewriter.atEnd(delivery.stop);
  const input = await pageInput(
    { body, response, isDeclared: kind === "page" },
    {
      broken: delivery.stop,
      cut(left) {
        rest = left;
        if (left !== null) services.notes.note("not-further");
      },
    },
  );
  if (input.kind !== "page") {
    delivery.stop();
    services.notes.note(input.kind);
    return new Response(input.readable, response);
  }
  later(delivery.done);
  const rewritten = rewriter.transform(
    new Response(input.readable, { headers: { "content-type": "text/html; charset=utf-8" } }),
  );
  const made = personal(response, rewritten.body, setCookie);
  // What says so in the page may have moved beyond its first kilobyte.
  if (kind === "undeclared") made.headers.set("content-type", "text/html; charset=utf-8");
  return made;
}

/** The response with another body, which is not compressed. */
function personal(
  { status, statusText, headers }: Response,
  body: ReadableStream | null,
  setCookie: string | null,
): Response {
  const made = new Response(body, { status, statusText, headers });
  makePersonal(made.headers, setCookie);
  return made;
}

/** What the visitor is served, and how to log the exposures of what was met: each once. */
async function decided(
  { request, snapshot, flags, nowMs, later }: Applying,
  { behaviour, exposures }: Services,
) {
  const { published } = snapshot;
  const visitor = await visitorOf(request, behaviour.visitor, behaviour.consent);
  const attributes = (await behaviour.attributes?.(request)) ?? {};
  const known = visitor === null ? attributes : { ...attributes, targetingKey: visitor.unit };
  const question = {
    compiled: visitor === null ? controlOf(published) : published.compiled,
    context: completeContext(known, request),
    nowMs,
  };
  const sent = new Set<Exposure>();
  return {
    planned: plannedEdits(flags, question),
    bootstrap:
      behaviour.bootstrap === undefined
        ? null
        : bootstrapElement(bootstrapOf(behaviour.bootstrap, visitor?.unit ?? null, question)),
    setCookie: visitor?.setCookie ?? null,
    /** False: there was none to send. */
    exposer: (met: ReadonlySet<Exposure>) => {
      const unsent = [...met].filter((exposure) => !sent.has(exposure));
      for (const exposure of unsent) sent.add(exposure);
      const decidedBy = {
        environment: published.compiled.environment,
        snapshot,
        nowMs,
        later,
      };
      exposures.send(
        decidedBy,
        unsent.map((exposure) =>
          exposureEvent(exposure, {
            context: question.context,
            dimensions: published.dimensions.get(exposure.experiment) ?? [],
            timeMs: nowMs,
            source: "edge",
            sdk: "edgewise-html",
          }),
        ),
      );
    },
  };
}
