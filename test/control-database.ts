/** Environments in CONTROL for tests, each with its own, so that no test sees another's. */

import type { D1Database } from "@cloudflare/workers-types";
import type { Decision, EnvironmentState } from "../control/environment-state.ts";
import type { Result } from "../contracts/problem.ts";
import type { ChangeRequest } from "../stores/definition-store.ts";
import { at, definitionOf, metricOf } from "./control-state.ts";

let made = 0;

/** The id of a new environment at version 1 that was never published, of the customer `acme`. */
export async function newEnvironment(control: D1Database): Promise<string> {
  made += 1;
  const id = `environment-${made}`;
  await control.batch([
    control
      .prepare(
        "insert into customers (id, key, name, created_at) values ('customer', 'acme', 'Acme', ?) on conflict do nothing",
      )
      .bind(at),
    control
      .prepare(
        "insert into environments (id, customer_id, key, name, version, published_version, created_at) values (?, 'customer', ?, ?, 1, 0, ?)",
      )
      .bind(id, id, id, at),
  ]);
  return id;
}

let requests = 0;

export function requestOf(environment: string, more: Partial<ChangeRequest> = {}): ChangeRequest {
  requests += 1;
  return { environment, actor: "tester", auditId: `audit-${requests}`, at, ...more };
}

/** Decides to add a metric of that key, or to give it the next version when there is one. */
export const metricNamed =
  (key: string) =>
  (state: EnvironmentState): Result<Decision<number>> => {
    const known = state.metrics.find(({ body }) => body.key === key);
    const definition =
      known === undefined
        ? definitionOf(metricOf({ key }))
        : { ...known, version: known.version + 1 };
    const value = state.version;
    return {
      ok: true,
      value: { action: "create", writes: [{ entity: "metric", definition }], value },
    };
  };
