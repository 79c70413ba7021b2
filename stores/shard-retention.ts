/**
 * Removes from a shard METRICS_s what is no longer needed, in bounded steps, each of them safe to take twice.
 * A document goes only when no consumer has written since it was read.
 */

import type { D1Database } from "@cloudflare/workers-types";
import { isStoredDocument } from "../counting/document.ts";
import type { Dictionary, Names } from "../counting/names.ts";
import { jsonParameters } from "./json-parameters.ts";
import { readDictionary } from "./shard-names.ts";

export interface UnitPage {
  /** Units that were looked at. */
  units: number;
  /** After which key the next page begins; null when there was no unit any more, or when a rebuild is under way, which makes its own. */
  next: string | null;
}

export interface ShardRetention {
  /** Removes the units after the key `after` that `isRetired` says, of some thousands. */
  retireUnits(
    after: string,
    isRetired: (environment: string, document: string, names: Names) => boolean,
  ): Promise<UnitPage>;
  /** Removes some rows of what these experiments counted; true when there are more. */
  removeExperiments(
    experiments: readonly { environment: string; experiment: string }[],
  ): Promise<boolean>;
  /** Counters of earlier hours, and rebuilds that ended earlier. */
  removeNotes(before: { hour: number; ms: number }): Promise<void>;
}

const unitsAPage = 2_000;
/** Of documents, and one more: it fits what D1 gives at once. */
const charactersAPage = 2_000_000;
const rowsAStep = 10_000;
const attempts = 5;
const lostRace = /NOT NULL constraint failed: meta\.version/;
const tables = ["populations", "cells", "tallies", "activity", "dimension_values"] as const;

const population =
  "environment, experiment, phase, variant, dimension, value, cohort_start, cohort_hours";
const keys: Record<(typeof tables)[number], string> = {
  populations: population,
  cells: `${population}, metric`,
  tallies: "environment, experiment, phase, cause, detail",
  activity: "environment, experiment",
  dimension_values: "environment, experiment, phase, dimension",
};

export function shardRetention(db: D1Database): ShardRetention {
  async function page(after: string) {
    const [meta, units] = await db.batch<{ [column: string]: unknown }>([
      db.prepare("SELECT version, mirrored FROM meta ORDER BY id"),
      db
        .prepare(
          `SELECT key, state FROM (
             SELECT key, state, sum(length(state)) OVER (ORDER BY key) - length(state) AS charactersBefore
             FROM (SELECT key, state FROM units WHERE key > ?1 ORDER BY key LIMIT ?2))
           WHERE charactersBefore < ?3 ORDER BY key`,
        )
        .bind(after, unitsAPage, charactersAPage),
    ]);
    const [live, rebuild] = meta?.results ?? [];
    return {
      version: live?.["version"],
      isMirrored: rebuild?.["mirrored"] === 1,
      units: (units?.results ?? []).map(({ key, state }) => ({
        key: String(key),
        state: String(state),
      })),
    };
  }

  async function dictionaryOf(units: readonly { key: string }[]): Promise<Dictionary> {
    const environments = await readDictionary(db, []);
    return readDictionary(db, new Set(units.map(({ key }) => environments.environmentOf(key))));
  }

  /** False: a consumer was faster. */
  async function remove(unitKeys: readonly string[], version: unknown): Promise<boolean> {
    const guard = db.prepare(
      "UPDATE meta SET version = CASE WHEN version = ?1 THEN version + 1 END WHERE id = 1",
    );
    const removal = db.prepare("DELETE FROM units WHERE key IN (SELECT value FROM json_each(?1))");
    const parameters = jsonParameters(
      unitKeys.map((key) => JSON.stringify(key)),
      { open: "[", close: "]" },
    );
    try {
      await db.batch([guard.bind(version), ...parameters.map((each) => removal.bind(each))]);
      return true;
    } catch (error) {
      if (error instanceof Error && lostRace.test(error.message)) return false;
      throw error;
    }
  }

  return {
    async retireUnits(after, isRetired) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const { version, isMirrored, units } = await page(after);
        if (isMirrored) return { units: 0, next: null };
        const dictionary = await dictionaryOf(units);
        const retired = units.filter(({ key, state }) => {
          const environment = dictionary.environmentOf(key);
          return (
            isStoredDocument(state) && isRetired(environment, state, dictionary.of(environment))
          );
        });
        const isDone =
          retired.length === 0 ||
          (await remove(
            retired.map(({ key }) => key),
            version,
          ));
        if (!isDone) continue;
        return { units: units.length, next: units.at(-1)?.key ?? null };
      }
      throw new Error(`the shard was written by others ${attempts} times in a row`);
    },

    async removeExperiments(experiments) {
      const list = JSON.stringify(
        experiments.map(({ environment, experiment }) => `${environment}\u001f${experiment}`),
      );
      const results = await db.batch(
        tables.map((table) =>
          db
            .prepare(
              `DELETE FROM ${table} WHERE (${keys[table]}) IN (SELECT ${keys[table]} FROM ${table}
                 WHERE (environment || char(31) || experiment) IN (SELECT value FROM json_each(?1))
                 LIMIT ${rowsAStep})`,
            )
            .bind(list),
        ),
      );
      return results.some(({ meta }) => meta.changes >= rowsAStep);
    },

    async removeNotes({ hour, ms }) {
      await db.batch([
        db.prepare("DELETE FROM counters WHERE hour < ?1").bind(hour),
        db.prepare("DELETE FROM rebuilds WHERE status = 'done' AND stepped_at_ms < ?1").bind(ms),
      ]);
    },
  };
}
