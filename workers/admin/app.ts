/** The admin API: routes to the handlers, behind an admin key of the role that the method needs. */

import type { MiddlewareHandler } from "hono";
import type { KeyDirectory, Role } from "../../contracts/api-key.ts";
import { createApp, reply } from "../../http/app.ts";
import type { AppEnv } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import type { Principal } from "../../http/authenticate.ts";
import type { DefinitionStore } from "../../stores/definition-store.ts";
import type { EnvironmentStore } from "../../stores/environment-store.ts";
import type { LedgerStore } from "../../stores/ledger-store.ts";
import type { Publisher } from "../../stores/publisher.ts";
import { auditRoutes } from "./audit.ts";
import { experimentRoutes } from "./experiments.ts";
import { keyRoutes } from "./keys.ts";
import { metricRoutes } from "./metrics.ts";
import { resultRoutes } from "./results.ts";

export interface Services {
  definitions: DefinitionStore;
  environments: EnvironmentStore;
  publisher: Publisher;
  ledger: LedgerStore;
  now: () => Date;
  /** A UUIDv7. */
  newId: () => string;
  /** 244 random bits, hex. */
  newSecret: () => string;
}

export type AdminEnv = AppEnv<object> & { Variables: { principal: Principal } };

export function adminApp(services: Services) {
  return createApp<object>()
    .use(
      "/api/v1/keys/*",
      needs(services.environments, () => "admin"),
    )
    .use(
      "/api/v1/*",
      needs(services.environments, (method) => (method === "GET" ? "viewer" : "editor")),
    )
    .route("/api/v1/metrics", metricRoutes(services))
    .route("/api/v1/experiments", experimentRoutes(services))
    .route("/api/v1/experiments", resultRoutes(services))
    .route("/api/v1/keys", keyRoutes(services))
    .route("/api/v1/audit", auditRoutes(services));
}

function needs(
  directory: KeyDirectory,
  roleFor: (method: string) => Role,
): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const principal = await authenticate(c.req.raw.headers, directory, {
      role: roleFor(c.req.method),
    });
    if (!principal.ok) return reply(c, principal.problem);
    c.set("principal", principal.value);
    return await next();
  };
}
