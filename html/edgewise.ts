/**
 * Experiments on pages, in front of any site: `edgewise` as middleware of a Hono app, `withEdgewise` around any fetch handler. The page is
 * rewritten as it streams, never held back; whatever goes wrong, the site is served as it is.
 */

import type { Context as HonoContext, Env, MiddlewareHandler } from "hono";
import type { Later } from "../contracts/api-key.ts";
import { servicesOf } from "./options.ts";
import type { EdgewiseOptions, Services } from "./options.ts";
import { servePage } from "./serve-page.ts";

/** Called once for each bindings object, which is one for the life of the isolate. */
type OptionsOf<Bindings> = (env: Bindings) => EdgewiseOptions;

/** For routes whose pages experiments may change: `app.use(edgewise((env: Env) => ({ … })))`. */
export function edgewise<Bindings extends object>(
  optionsOf: OptionsOf<Bindings>,
): MiddlewareHandler<{ Bindings: Bindings }> {
  const services = servicesByEnv(optionsOf);
  return async (c, next) => {
    const known = services(c.env);
    if (known === null) {
      await next();
      return;
    }
    const origin = async (request: Request) => {
      c.req.raw = request;
      await next();
      return c.res;
    };
    const response = await servePage(c.req.raw, origin, known, laterOf(c));
    if (response === c.res) return;
    // Hono merges the headers of one response into the next unless there is none.
    c.res = undefined;
    c.res = response;
  };
}

interface Waiting {
  waitUntil(work: Promise<unknown>): void;
}

type FetchHandler<Bindings, Execution extends Waiting> = (
  request: Request,
  env: Bindings,
  context: Execution,
) => Response | Promise<Response>;

/** `export default { fetch: withEdgewise((request) => fetch(request), (env) => ({ … })) }` */
export function withEdgewise<Bindings extends object, Execution extends Waiting>(
  origin: FetchHandler<Bindings, Execution>,
  optionsOf: OptionsOf<Bindings>,
): (request: Request, env: Bindings, context: Execution) => Promise<Response> {
  const services = servicesByEnv(optionsOf);
  return async (request, env, context) => {
    const known = services(env);
    const ask = async (asked: Request) => await origin(asked, env, context);
    return known === null
      ? await ask(request)
      : await servePage(request, ask, known, (work) => context.waitUntil(work));
  };
}

/** Null when the options cannot be made into stores: the site is served as it is. */
function servicesByEnv<Bindings extends object>(
  optionsOf: OptionsOf<Bindings>,
): (env: Bindings) => Services | null {
  const made = new WeakMap<object, Services | null>();
  return (env) => {
    const known = made.get(env);
    if (known !== undefined) return known;
    const services = servicesOrNull(() => optionsOf(env));
    made.set(env, services);
    return services;
  };
}

function servicesOrNull(optionsOf: () => EdgewiseOptions): Services | null {
  try {
    return servicesOf(optionsOf());
  } catch (error) {
    console.error(JSON.stringify({ event: "edgewise-options-unusable", error: String(error) }));
    return null;
  }
}

/** An app that is called outside of a worker, as in its own tests, has nothing that waits. */
function laterOf<E extends Env>(c: HonoContext<E>): Later {
  try {
    const { executionCtx } = c;
    return (work) => executionCtx.waitUntil(work);
  } catch {
    return () => {};
  }
}
