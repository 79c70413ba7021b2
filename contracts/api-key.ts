/** KV `key/{sha256 of the secret}`: whose key it is. A revoked key has no entry. Written from CONTROL, read by eval and ingest. */

import * as z from "zod/mini";

export type Role = "viewer" | "editor" | "admin";

export interface ApiKey {
  v: 1;
  id: string;
  kind: "server" | "client" | "admin";
  /** Null: the installation's key, good for every environment. */
  environment: string | null;
  /** Admin keys only. */
  role?: Role;
  /** Client keys only: the origins that browsers may use it from; absent means any. */
  origins?: string[];
}

export const apiKey = z.object({
  v: z.literal(1),
  id: z.string(),
  kind: z.enum(["server", "client", "admin"]),
  environment: z.nullable(z.string()),
  role: z.exactOptional(z.enum(["viewer", "editor", "admin"])),
  origins: z.exactOptional(z.array(z.string())),
}) satisfies z.ZodMiniType<ApiKey>;
