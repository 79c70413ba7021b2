/**
 * Collects what a batch changes in cells, populations, tallies and activity: one row each, added to what the shard has.
 * Every unit and metric enters with its net change, so that nothing is added and taken away again in floating point.
 */

import { addSums, changeOfSums } from "./cell-sums.ts";
import { cohortOf } from "./contribution.ts";
import type { DimensionValue } from "./dimensions.ts";
import type { MetricValue, UnitExposure } from "./document.ts";
import type { CellSums } from "./types.ts";

interface PopulationDelta {
  environment: string;
  experiment: string;
  phase: number;
  variant: string;
  /** "" for all units, as is `value`. */
  dimension: string;
  value: string;
  /** In hours since the epoch. */
  cohortStart: number;
  n: number;
}

interface CellDelta extends Omit<PopulationDelta, "n">, CellSums {
  metric: string;
}

export interface TallyDelta {
  environment: string;
  experiment: string;
  phase: number;
  /** Why units or events are missing from the cells: a standing, "outside-phase" (phase 0), or "late" (events that are counted). */
  cause: string;
  /** A quarantined unit's variants, "a|b"; else "". */
  detail: string;
  n: number;
}

export interface ActivityDelta {
  environment: string;
  experiment: string;
  lastEventMs: number;
}

export interface Deltas {
  populations: PopulationDelta[];
  cells: CellDelta[];
  tallies: TallyDelta[];
  activity: ActivityDelta[];
}

interface Place {
  population: PopulationDelta;
  /** By metric. */
  sums: Map<string, CellSums>;
}

/** The places of units that met one variant in one hour. */
interface Cohort {
  overall: Place;
  /** By dimension, by value. */
  parts: Map<string, Map<string, Place>>;
}

export class DeltaCollector {
  readonly #cohorts = new Map<string, Cohort>();
  readonly #tallies = new Map<string, TallyDelta>();
  readonly #activity = new Map<string, ActivityDelta>();

  /** What a unit was in one phase is taken back, and what it is now is added. */
  replace(environment: string, before: UnitExposure | undefined, after: UnitExposure): void {
    if (before && samePlaces(before, after)) {
      this.#move(environment, after, 0, before.values, after.values);
    } else {
      if (before) this.#move(environment, before, -1, before.values, []);
      this.#move(environment, after, 1, [], after.values);
    }
    if (before) this.#tallyExposure(environment, before, -1);
    this.#tallyExposure(environment, after, 1);
  }

  /** Counts by cause. */
  tally(tally: TallyDelta): void {
    if (tally.n === 0) return;
    const { environment, experiment, phase, cause, detail } = tally;
    const key = `${environment} ${experiment} ${phase} ${cause} ${detail}`;
    const known = this.#tallies.get(key);
    if (known) known.n += tally.n;
    else this.#tallies.set(key, { ...tally });
  }

  active(environment: string, experiment: string, lastEventMs: number): void {
    const key = `${environment} ${experiment}`;
    const known = this.#activity.get(key);
    if (known) known.lastEventMs = Math.max(known.lastEventMs, lastEventMs);
    else this.#activity.set(key, { environment, experiment, lastEventMs });
  }

  /** Rows that change anything. */
  rows(): Deltas {
    const populations: PopulationDelta[] = [];
    const cells: CellDelta[] = [];
    for (const { population, sums } of this.#places()) {
      const { n, ...place } = population;
      if (n !== 0) populations.push(population);
      for (const [metric, sum] of sums) {
        if (Object.values(sum).some((each) => each !== 0)) cells.push({ ...place, metric, ...sum });
      }
    }
    const tallies = [...this.#tallies.values()].filter(({ n }) => n !== 0);
    return { populations, cells, tallies, activity: [...this.#activity.values()] };
  }

  #move(
    environment: string,
    exposure: UnitExposure,
    n: -1 | 0 | 1,
    before: readonly MetricValue[],
    after: readonly MetricValue[],
  ): void {
    if (exposure.standing !== "counted") return;
    const changes = metricChanges(before, after);
    if (n === 0 && changes.length === 0) return;
    const cohort = this.#cohortOf(environment, exposure);
    change(cohort.overall, n, changes);
    for (const at of exposure.dimensions) change(placeOf(cohort, at), n, changes);
  }

  #cohortOf(environment: string, exposure: UnitExposure): Cohort {
    const { experiment, phase, variant } = exposure;
    const cohortStart = cohortOf(exposure.timeMs);
    // Keys of experiments and variants are slugs: no part has a space.
    const key = `${environment} ${experiment} ${phase} ${variant} ${cohortStart}`;
    let cohort = this.#cohorts.get(key);
    if (!cohort) {
      const at = { environment, experiment, phase, variant, dimension: "", value: "", cohortStart };
      cohort = { overall: { population: { ...at, n: 0 }, sums: new Map() }, parts: new Map() };
      this.#cohorts.set(key, cohort);
    }
    return cohort;
  }

  *#places(): Generator<Place> {
    for (const { overall, parts } of this.#cohorts.values()) {
      yield overall;
      for (const places of parts.values()) yield* places.values();
    }
  }

  #tallyExposure(environment: string, exposure: UnitExposure, sign: 1 | -1): void {
    const { experiment, phase, standing, variant, secondVariant } = exposure;
    if (standing === "counted" && exposure.lateEvents === 0) return;
    const row = { environment, experiment, phase };
    if (standing === "counted") {
      this.tally({ ...row, cause: "late", detail: "", n: sign * exposure.lateEvents });
    } else {
      const detail = standing === "quarantined" ? `${variant}|${secondVariant}` : "";
      this.tally({ ...row, cause: standing, detail, n: sign });
    }
  }
}

function placeOf({ overall, parts }: Cohort, { dimension, value }: DimensionValue): Place {
  let places = parts.get(dimension);
  if (!places) {
    places = new Map();
    parts.set(dimension, places);
  }
  let place = places.get(value);
  if (!place) {
    place = { population: { ...overall.population, dimension, value, n: 0 }, sums: new Map() };
    places.set(value, place);
  }
  return place;
}

function change({ population, sums }: Place, n: number, changes: readonly MetricChange[]): void {
  population.n += n;
  for (const { metric, change } of changes) {
    const sum = sums.get(metric);
    if (sum) addSums(sum, change);
    else sums.set(metric, { ...change });
  }
}

function samePlaces(a: UnitExposure, b: UnitExposure): boolean {
  return (
    a.standing === "counted" &&
    b.standing === "counted" &&
    a.variant === b.variant &&
    cohortOf(a.timeMs) === cohortOf(b.timeMs) &&
    a.dimensions.length === b.dimensions.length &&
    a.dimensions.every(({ dimension, value }, i) => {
      const other = b.dimensions[i];
      return other?.dimension === dimension && other.value === value;
    })
  );
}

interface MetricChange {
  metric: string;
  change: CellSums;
}

function metricChanges(
  before: readonly MetricValue[],
  after: readonly MetricValue[],
): MetricChange[] {
  const changes: MetricChange[] = [];
  for (const to of after) {
    const from = before.find(({ metric }) => metric === to.metric) ?? nothing;
    if (from.y === to.y && from.d === to.d && from.x === to.x) continue;
    changes.push({ metric: to.metric, change: changeOfSums(to, from) });
  }
  for (const from of before) {
    if (after.some(({ metric }) => metric === from.metric)) continue;
    changes.push({ metric: from.metric, change: changeOfSums(nothing, from) });
  }
  return changes;
}

const nothing = { y: 0, d: 0, x: 0 };
