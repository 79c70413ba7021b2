/**
 * A phase's matured units and their sums straight from the archive, as of one look: what had been received by then, of cohorts whose windows
 * had closed. Says in SQL what counting/ says in code, so that neither checks itself.
 */

import * as z from "zod/mini";
import type { Reading } from "../../analysis/readings.ts";
import type { Phase, PhaseMetric } from "../../contracts/phase.ts";
import { closesAfterMs, graceMs } from "../../counting/plan.ts";
import type { Table } from "../query/run-query.ts";
import type { LedgerAnswer } from "./ledger-answer.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** After a stop, what was assigned before is still being shown for a while. */
const stopToleranceMs = 120_000;

export interface AsOf {
  takenAtMs: number;
  /** Of the wall clock; 0: whatever was received since counts, too. */
  recordedAtMs: number;
}

export interface ArchivedReading {
  readings: Map<string, Reading>;
  /** When the newest cohort that has matured did so; null when none has. */
  maturedUntilMs: number | null;
  /** Whether others had yet to mature. */
  unmatured: boolean;
}

export type ReadArchive = (metric: PhaseMetric, asOf: AsOf) => Promise<ArchivedReading>;

const row = z.tuple([
  z.string(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
]);

export function archivedReadings(
  answer: Pick<LedgerAnswer, "environment" | "experiment" | "phase" | "phases">,
  query: (sql: string) => Promise<Table>,
): ReadArchive {
  return async (metric, asOf) => {
    const { rows } = await query(readingSql(answer, metric, asOf));
    const readings = new Map<string, Reading>();
    let maturedUntilMs: number | null = null;
    let exposedUnits = 0;
    let maturedUnits = 0;
    for (const each of rows) {
      const [variant, n, newest, exposed, y, yy, d, dd, yd, x, xx, xy] = z.parse(row, each);
      readings.set(variant, { n, sums: { y, yy, d, dd, yd, x, xx, xy } });
      maturedUntilMs = Math.max(maturedUntilMs ?? 0, newest);
      exposedUnits = exposed;
      maturedUnits += n;
    }
    return { readings, maturedUntilMs, unmatured: maturedUnits < exposedUnits };
  };
}

function readingSql(
  { environment, experiment, phase: number, phases }: Parameters<typeof archivedReadings>[0],
  metric: PhaseMetric,
  { takenAtMs, recordedAtMs }: AsOf,
): string {
  const phase = phases.find((each) => each.phase === number);
  if (phase === undefined) throw new RangeError(`there is no phase ${number}`);
  const closesMs = closesAfterMs(metric);
  const opensMs = metric.type === "retention" ? (metric.returnDays ?? 1) * dayMs : 0;
  const lookbackMs = (metric.covariateLookbackDays ?? 0) * dayMs;
  const isYesOrNo = metric.type === "proportion" || metric.type === "retention";
  const aggregation = isYesOrNo ? "any" : metric.aggregation;
  const inWindow = `since >= ${opensMs} and since < ${closesMs}`;
  const y = aggregated(aggregation, `${inWindow} and name = ${text(metric.event)}`);
  const x = aggregated(
    aggregation,
    `since < 0 and since >= -${lookbackMs} and name = ${text(metric.event)}`,
  );
  const d =
    metric.denominator === undefined
      ? "0"
      : aggregated(
          metric.denominator.aggregation,
          `${inWindow} and name = ${text(metric.denominator.event)}`,
        );
  const capped = (value: string) =>
    metric.cap === undefined ? value : `least(${value}, ${metric.cap})`;
  const earlier = phases.filter((each) => phase.excludesEarlierPhases && each.phase < number);
  const receivedUntil = recordedAtMs === 0 ? "true" : `epoch_ms(received_at) <= ${recordedAtMs}`;
  return `
    with received as (
      select *, epoch_ms(time) as at_ms from events
      where environment = ${text(environment)} and kind = ${text(phase.unit)} and ${receivedUntil}
    ), exposed as (
      select unit, min(at_ms) as first_ms, min(variant) as variant, max(variant) as other, bool_or(coalesce(bot, false)) as bot
      from received where ${exposureOf(experiment, phase, phases)} group by unit
    ), earlier as (
      select distinct unit from received
      where ${earlier.map((each) => `(${exposureOf(experiment, each, phases)})`).join(" or ") || "false"}
    ), counted as (
      select unit, variant, first_ms, (first_ms // ${hourMs} + 1) * ${hourMs} + ${closesMs + graceMs} as matured_at
      from exposed where variant = other and not bot and unit not in (select unit from earlier)
    ), matured as (
      select * from counted where matured_at <= ${takenAtMs}
    ), outcome as (
      select unit, name, at_ms, coalesce(value, 1) as value from received where type = 'outcome'
      qualify row_number() over (partition by unit, id order by received_at, at_ms) = 1
    ), valued as (
      select matured.unit, any_value(variant) as variant, any_value(matured_at) as matured_at,
        ${capped(y)} as y, ${d} as d, ${capped(x)} as x
      from (select matured.*, name, value, at_ms - first_ms as since from matured left join outcome on outcome.unit = matured.unit) as matured
      group by matured.unit
    )
    select variant, count(*)::double, max(matured_at)::double, (select count(*) from counted)::double, sum(y)::double, sum(y * y)::double, sum(d)::double, sum(d * d)::double,
      sum(y * d)::double, sum(x)::double, sum(x * x)::double, sum(x * y)::double
    from valued group by variant`;
}

/** Which exposures are of a phase: of its variants, while it ran, or shortly after; imports may lie before the first start. */
function exposureOf(experiment: string, phase: Phase, phases: readonly Phase[]): string {
  const variants = phase.variants.map(({ variant }) => text(variant)).join(", ");
  const starts = phases.flatMap(({ running }) => running.map(([from]) => from));
  const times = phase.running.map(([from, to]) =>
    to === null ? `at_ms >= ${from}` : `(at_ms >= ${from} and at_ms < ${to + stopToleranceMs})`,
  );
  if (phase === phases[0]) times.push(`(source = 'import' and at_ms < ${Math.min(...starts)})`);
  return `type = 'exposure' and experiment = ${text(experiment)} and variant in (${variants})
    and (phase is null or phase = ${phase.phase}) and (${times.join(" or ")})`;
}

function aggregated(aggregation: PhaseMetric["aggregation"], condition: string): string {
  const filter = `filter (where ${condition})`;
  switch (aggregation) {
    case "any":
      return `(count(*) ${filter} > 0)::int`;
    case "count":
      return `count(*) ${filter}`;
    case "sum":
      return `coalesce(sum(value) ${filter}, 0)`;
    case "max":
      return `coalesce(max(value) ${filter}, 0)`;
  }
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
