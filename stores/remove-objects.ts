import type { R2Bucket } from "@cloudflare/workers-types";
import { limits } from "../contracts/limits.ts";

/** Removes as many keys as there are, as many at a time as R2 takes. Removing what is gone is no error. */
export async function removeObjects(bucket: R2Bucket, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += limits.r2Keys) {
    await bucket.delete(keys.slice(start, start + limits.r2Keys));
  }
}
