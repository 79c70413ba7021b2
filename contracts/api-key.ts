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

/** Where keys are looked up; a rejection means that it could not be reached. */
export interface KeyDirectory {
  /** The key behind a secret, or null for an unknown or revoked one. */
  keyOf(secret: string): Promise<ApiKey | null>;
  /** The id of `customer/environment`, or null. */
  environmentOf(name: string): Promise<string | null>;
}

/** SHA-256 of a secret, hex: the only form in which keys are stored. */
export async function hashSecret(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
