/**
 * Cohorts of hours in the cells of a shard METRICS_s become cohorts of days. A step is one transaction that adds and removes: sums over a day are the
 * same before and after it, consumers may add at any time, and what they add to a rolled-up day is found by the next roll-up.
 */

import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import * as z from "zod/mini";

export interface RolledPhase {
  environment: string;
  experiment: string;
  phase: number;
}

export interface HourlyDays extends RolledPhase {
  /** With cohorts of hours of all units, ascending; since the epoch. */
  days: number[];
  /** With such of values of dimensions. */
  segmentDays: number[];
  /** Of all cohorts. */
  newestDay: number;
}

/** All units, or the values of dimensions. */
export type RolledPart = "units" | "segments";

export interface CellRollUp {
  /** One a phase of which somebody was counted. */
  hourly(): Promise<HourlyDays[]>;
  /** `part`: of those days. */
  roll(of: RolledPhase, part: RolledPart, days: readonly number[]): Promise<void>;
}

const place = ["environment", "experiment", "phase", "variant", "dimension", "value"];
const tables = {
  populations: { key: place, sums: ["n"] },
  cells: { key: [...place, "metric"], sums: ["y", "yy", "d", "dd", "yd", "x", "xx", "xy"] },
} as const;

const hourlyRow = z.object({
  environment: z.string(),
  experiment: z.string(),
  phase: z.number(),
  /** JSON. */
  days: z.string(),
  segmentDays: z.string(),
  newestDay: z.nullable(z.number()),
});
const dayNumbers = z.array(z.number());

export function cellRollUp(db: D1Database): CellRollUp {
  function moved(
    table: keyof typeof tables,
    { environment, experiment, phase }: RolledPhase,
    part: RolledPart,
    days: readonly number[],
  ): D1PreparedStatement[] {
    const { key, sums } = tables[table];
    const ofPart = part === "units" ? "dimension = ''" : "dimension <> ''";
    const rolled = `environment = ?1 AND experiment = ?2 AND phase = ?3 AND ${ofPart} AND cohort_hours = 1 AND cohort_start / 24 IN (SELECT value FROM json_each(?4))`;
    const bound = [environment, experiment, phase, JSON.stringify(days)];
    return [
      `INSERT INTO ${table} (${key.join(", ")}, cohort_start, cohort_hours, ${sums.join(", ")})
         SELECT ${key.join(", ")}, cohort_start / 24 * 24, 24, ${sums.map((sum) => `sum(${sum})`).join(", ")}
         FROM ${table} WHERE ${rolled} GROUP BY ${key.join(", ")}, cohort_start / 24
         ON CONFLICT (${key.join(", ")}, cohort_start, cohort_hours)
         DO UPDATE SET ${sums.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join(", ")}`,
      `DELETE FROM ${table} WHERE ${rolled}`,
    ].map((sql) => db.prepare(sql).bind(...bound));
  }

  return {
    async hourly() {
      const phase = "environment, experiment, phase";
      const listed = (isMeant: string) =>
        `json_group_array(day ORDER BY day) FILTER (WHERE day IS NOT NULL AND ${isMeant})`;
      const hours = (table: string) =>
        `SELECT ${phase}, cohort_start / 24 AS day, dimension <> '' AS isSegment, NULL AS newest FROM ${table} WHERE cohort_hours = 1`;
      const { results } = await db
        .prepare(
          `SELECT ${phase}, ${listed("NOT isSegment")} AS days, ${listed("isSegment")} AS segmentDays, max(newest) AS newestDay FROM (
             ${hours("populations")} UNION ${hours("cells")}
             UNION SELECT ${phase}, NULL, NULL, max(cohort_start / 24) FROM populations GROUP BY ${phase})
           GROUP BY ${phase}`,
        )
        .all();
      return z
        .parse(z.array(hourlyRow), results)
        .flatMap(({ days, segmentDays, newestDay, ...of }) => {
          if (newestDay === null) return [];
          const numbersOf = (text: string) => z.parse(dayNumbers, JSON.parse(text));
          return [{ ...of, days: numbersOf(days), segmentDays: numbersOf(segmentDays), newestDay }];
        });
    },

    async roll(of, part, days) {
      await db.batch([...moved("populations", of, part, days), ...moved("cells", of, part, days)]);
    },
  };
}
