/** Publishes whatever KV does not hold as CONTROL has it: what a failed or interrupted publish left behind, and new installations. */

import type { EnvironmentStore } from "../../stores/environment-store.ts";
import type { Publisher } from "../../stores/publisher.ts";

/** One that fails does not keep the others from being published; it is tried again at the next tick. */
export async function repair(
  environments: Pick<EnvironmentStore, "unpublishedEnvironments" | "unpublishedKeys">,
  publisher: Publisher,
): Promise<void> {
  for (const environment of await environments.unpublishedEnvironments()) {
    await attempt(environment, () => publisher.publish(environment));
  }
  for (const { hash, key } of await environments.unpublishedKeys()) {
    await attempt(hash, () => publisher.publishKey(hash, key));
  }
}

async function attempt(what: string, publish: () => Promise<void>): Promise<void> {
  try {
    await publish();
  } catch (error) {
    console.error(JSON.stringify({ event: "repair-failed", what, error: String(error) }));
  }
}
