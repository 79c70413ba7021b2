/** What every change through the API has in common: who, when, and publishing afterwards. */

import type { Context } from "hono";
import type { Result } from "../../contracts/problem.ts";
import type { ChangeRequest, Decision } from "../../stores/definition-store.ts";
import type { AdminEnv, Services } from "./app.ts";

export function changeRequest(c: Context<AdminEnv>, services: Services): ChangeRequest {
  const { environment, key } = c.get("principal");
  return {
    environment,
    actor: key.id,
    auditId: services.newId(),
    at: services.now().toISOString(),
  };
}

/** Changes CONTROL, then publishes. A failed publish does not fail the change: it is made, and the cron publishes what lags. */
export async function applyChange<T>(
  services: Services,
  request: ChangeRequest,
  decide: () => Promise<Result<Decision<T>>>,
): Promise<Result<T>> {
  const changed = await services.definitions.change(request, decide);
  if (!changed.ok) return changed;
  try {
    await services.publisher.publish(request.environment);
  } catch (error) {
    console.error(
      JSON.stringify({
        event: "publish-failed",
        environment: request.environment,
        error: String(error),
      }),
    );
  }
  return changed;
}
