/**
 * R2 ARCHIVE, what turns raw objects into Parquet: a plan an hour and shard says which raw objects belong together,
 * `events/v1/` has the files of each such group, and its manifest says that all of them are there.
 * A plan is only ever added to, by compare-and-swap: a raw object is in one group for good, whoever planned at the same time.
 */

import type { R2Bucket } from "@cloudflare/workers-types";
import * as z from "zod/mini";
import { archiveKeys } from "../contracts/archive-keys.ts";
import type { ArchiveHour } from "../contracts/archive-keys.ts";
import { compactionPlan } from "../contracts/compaction.ts";
import type { CompactionManifest, CompactionPlan } from "../contracts/compaction.ts";
import type { EventFile } from "./event-files.ts";
import { removeObjects } from "./remove-objects.ts";

export interface PlanReading {
  plan: CompactionPlan;
  /** Null: there was none. */
  etag: string | null;
}

export interface CompactionStore {
  plan(hour: ArchiveHour): Promise<PlanReading>;
  /** False: somebody else has changed the plan since it was read, and nothing was written. */
  savePlan(hour: ArchiveHour, plan: CompactionPlan, etag: string | null): Promise<boolean>;
  /** The key that it is under, which is the same for the same group and part. */
  putFile(hour: ArchiveHour, group: string, file: EventFile): Promise<string>;
  /**
   * Removes the parts of these environments from the number given on:
   * what an earlier attempt left, if it was killed and cut its files differently.
   */
  removeParts(hour: ArchiveHour, group: string, from: ReadonlyMap<string, number>): Promise<void>;
  hasManifest(hour: ArchiveHour, group: string): Promise<boolean>;
  saveManifest(hour: ArchiveHour, group: string, manifest: CompactionManifest): Promise<void>;
}

const json = { httpMetadata: { contentType: "application/json" } };
const parquet = { httpMetadata: { contentType: "application/vnd.apache.parquet" } };

/** More parts than a group can have. */
const partsAGroup = 64;

export function compactionStore(bucket: R2Bucket): CompactionStore {
  return {
    async plan(hour) {
      const object = await bucket.get(archiveKeys.plan(hour));
      if (object === null) return { plan: { v: 1, groups: [] }, etag: null };
      return { plan: z.parse(compactionPlan, await object.json()), etag: object.etag };
    },

    async savePlan(hour, plan, etag) {
      const onlyIf = etag === null ? { etagDoesNotMatch: "*" } : { etagMatches: etag };
      const body = JSON.stringify(plan);
      return (await bucket.put(archiveKeys.plan(hour), body, { ...json, onlyIf })) !== null;
    },

    async putFile(hour, group, { environment, part, bytes }) {
      const key = archiveKeys.events(environment, hour, group, part);
      await bucket.put(key, bytes, parquet);
      return key;
    },

    async removeParts(hour, group, from) {
      const keys = [...from].flatMap(([environment, first]) =>
        Array.from({ length: partsAGroup - first }, (_, i) =>
          archiveKeys.events(environment, hour, group, first + i),
        ),
      );
      await removeObjects(bucket, keys);
    },

    async hasManifest(hour, group) {
      return (await bucket.head(archiveKeys.manifest(hour, group))) !== null;
    },

    async saveManifest(hour, group, manifest) {
      const body = JSON.stringify(manifest);
      await bucket.put(archiveKeys.manifest(hour, group), body, json);
    },
  };
}
