/** KV `key/{sha256 of the secret}`: whose key it is. A revoked key has no entry. Written from CONTROL, read by eval and ingest. */

import * as z from "zod/mini";
import { sha256 } from "./sha256.ts";

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

/** Keeps work alive after a request has been answered. */
export type Later = (work: Promise<unknown>) => void;

/** Where keys are looked up; a rejection means that it could not be reached. */
export interface KeyDirectory {
  /** The key behind a secret, or null for an unknown or revoked one. */
  keyOf(secret: string, later?: Later): Promise<ApiKey | null>;
  /** The id of `customer/environment`, or null. */
  environmentOf(name: string, later?: Later): Promise<string | null>;
}

/** The only form in which secrets are stored. */
export async function hashSecret(secret: string): Promise<string> {
  return await sha256(secret);
}
