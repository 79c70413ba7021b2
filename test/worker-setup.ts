/** Every test file in workerd starts on migrated databases. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

await applyD1Migrations(env.CONTROL, env.CONTROL_MIGRATIONS);
await applyD1Migrations(env.METRICS_0, env.METRICS_MIGRATIONS);
await applyD1Migrations(env.METRICS_1, env.METRICS_MIGRATIONS);
