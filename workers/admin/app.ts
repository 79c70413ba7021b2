/** The admin API: routes to the handlers, behind an admin key of the role that the method needs. */

import type { MiddlewareHandler } from "hono";
import type { KeyDirectory, Role } from "../../contracts/api-key.ts";
import { flagBody } from "../../contracts/flag.ts";
import { holdoutBody } from "../../contracts/holdout.ts";
import { metricBody } from "../../contracts/metric.ts";
import { segmentBody } from "../../contracts/segment.ts";
import { flagKind } from "../../control/flag-kind.ts";
import { holdoutKind } from "../../control/holdout-kind.ts";
import { metricKind } from "../../control/metric-kind.ts";
import { segmentKind } from "../../control/segment-kind.ts";
import { createApp, reply } from "../../http/app.ts";
import type { AppEnv } from "../../http/app.ts";
import { authenticate } from "../../http/authenticate.ts";
import type { Principal } from "../../http/authenticate.ts";
import type { CellStore } from "../../stores/cell-store.ts";
import type { DefinitionStore } from "../../stores/definition-store.ts";
import type { EnvironmentStore } from "../../stores/environment-store.ts";
import type { LedgerStore } from "../../stores/ledger-store.ts";
import type { Publisher } from "../../stores/publisher.ts";
import type { WebhookStore } from "../../stores/webhook-store.ts";
import { auditRoutes } from "./audit.ts";
import { definitionRoutes } from "./definitions.ts";
import { experimentRoutes } from "./experiments.ts";
import { exposureRoutes } from "./exposures.ts";
import { keyRoutes } from "./keys.ts";
import { layerRoutes } from "./layers.ts";
import { lookRoutes } from "./looks.ts";
import { resultRoutes } from "./results.ts";
import { scheduleRoutes } from "./schedule.ts";
import { timeSeriesRoutes } from "./time-series.ts";
import { webhookRoutes } from "./webhooks.ts";

export interface Services {
  definitions: DefinitionStore;
  environments: EnvironmentStore;
  publisher: Publisher;
  ledger: LedgerStore;
  cells: CellStore;
  webhooks: WebhookStore;
  now: () => Date;
  /** A UUIDv7. */
  newId: () => string;
  /** 244 random bits, hex. */
  newSecret: () => string;
  pause: (ms: number) => Promise<void>;
}

export type AdminEnv = AppEnv<object> & { Variables: { principal: Principal } };

export function adminApp(services: Services) {
  return createApp<object>()
    .use(
      "/api/v1/keys/*",
      needs(services.environments, () => "admin"),
    )
    .use(
      "/api/v1/webhooks/*",
      needs(services.environments, () => "admin"),
    )
    .use(
      "/api/v1/*",
      needs(services.environments, (method) =>
        method === "GET" || method === "HEAD" ? "viewer" : "editor",
      ),
    )
    .route("/api/v1/flags", definitionRoutes(services, flagKind, { schema: flagBody }))
    .route("/api/v1/layers", layerRoutes(services))
    .route("/api/v1/holdouts", definitionRoutes(services, holdoutKind, { schema: holdoutBody }))
    .route("/api/v1/segments", definitionRoutes(services, segmentKind, { schema: segmentBody }))
    .route("/api/v1/metrics", definitionRoutes(services, metricKind, { schema: metricBody }))
    .route("/api/v1/experiments", experimentRoutes(services))
    .route("/api/v1/experiments", resultRoutes(services))
    .route("/api/v1/experiments", lookRoutes(services))
    .route("/api/v1/experiments", exposureRoutes(services))
    .route("/api/v1/experiments", scheduleRoutes(services))
    .route("/api/v1/experiments", timeSeriesRoutes(services))
    .route("/api/v1/keys", keyRoutes(services))
    .route("/api/v1/webhooks", webhookRoutes(services))
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
