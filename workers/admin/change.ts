/** What every change through the API has in common: who, when, what publishing refuses, and publishing afterwards. */

import type { Context } from "hono";
import type { Result } from "../../contracts/problem.ts";
import type { Fresh } from "../../control/change-definition.ts";
import type { Decision, EnvironmentState } from "../../control/environment-state.ts";
import { publishable } from "../../control/publishable.ts";
import type { ChangeRequest } from "../../stores/definition-store.ts";
import type { AdminEnv, Services } from "./app.ts";

/** KV takes one write a second to a key. */
const betweenPublishesMs = 1_100;

/** Changes CONTROL, then publishes. A failed publish does not fail the change: it is made, and published a little later. */
export async function applyChange<T>(
  c: Context<AdminEnv>,
  services: Services,
  decide: (state: EnvironmentState, fresh: Fresh) => Result<Decision<T>>,
): Promise<Result<T>> {
  const { definitions, newId, newSecret } = services;
  const request = changeRequest(c, services);
  const fresh = { at: request.at, id: newId(), salt: newSecret() };
  const changed = await definitions.change(request, (state) => {
    const decision = decide(state, fresh);
    return decision.ok ? publishable(state, decision.value) : decision;
  });
  if (!changed.ok) return changed;
  await publishAfter(c, services);
  return changed;
}

/** Who changes what environment, and when. */
export function changeRequest(c: Context<AdminEnv>, { now, newId }: Services): ChangeRequest {
  const { environment, key } = c.get("principal");
  return { environment, actor: key.id, auditId: newId(), at: now().toISOString() };
}

/** Publishes what has been changed; once more, a little later, when that fails. */
export async function publishAfter(c: Context<AdminEnv>, services: Services): Promise<void> {
  const { environment } = c.get("principal");
  const published = publish(services, environment);
  c.executionCtx.waitUntil(published.then((done) => done || publishLater(services, environment)));
  await published;
}

/** Once more; what fails then, too, is the cron's to repair. */
async function publishLater(services: Services, environment: string): Promise<boolean> {
  await services.pause(betweenPublishesMs);
  return await publish(services, environment);
}

async function publish({ publisher }: Services, environment: string): Promise<boolean> {
  try {
    await publisher.publish(environment);
    return true;
  } catch (error) {
    console.error(JSON.stringify({ event: "publish-failed", environment, error: String(error) }));
    return false;
  }
}
