/**
 * Collects what a batch changes in cells, populations, tallies and activity: one row each, added to what the shard has.
 * Every unit and metric enters with its net change, so that nothing is added and taken away again in floating point.
 */

import { addSums, changeOfSums } from "./cell-sums.ts";
import type { Assignment } from "./assignment.ts";
import { cohortOf } from "./contribution.ts";
import { isOrigin } from "./dimensions.ts";
import type { DimensionValue } from "./dimensions.ts";
import type { MetricValue, UnitExposure } from "./document.ts";
import { keepValues, shownValue } from "./kept-values.ts";
import type { DimensionOfPhase, KeptChange } from "./kept-values.ts";
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
  /** To be applied first: what is added to a value that is gone is in "other" already. */
  kept: KeptChange[];
}

export interface PhaseKey {
  environment: string;
  experiment: string;
  phase: number;
}

/** The values that a shard keeps apart, by `dimensionKey`. */
export type KeptLists = ReadonlyMap<string, readonly string[]>;

export function dimensionKey(at: DimensionOfPhase): string {
  return `${at.environment} ${at.experiment} ${at.phase} ${at.dimension}`;
}

interface Place {
  population: PopulationDelta;
  /** By metric. Null where units alone are counted. */
  sums: Map<string, CellSums> | null;
  /** The value is kept from now on: there is a row, be it of no unit, so that readers know. */
  isAdded?: true;
}

/** The places of units that met one variant in one hour. */
interface Cohort {
  overall: Place;
  /** By dimension, by value. */
  parts: Map<string, Map<string, Place>>;
}

export class DeltaCollector {
  readonly #cohorts = new Map<string, Cohort>();
  /** Those of each assignment, by cohort. */
  readonly #places = new Map<Assignment, Map<number, Place[]>>();
  readonly #tallies = new Map<string, TallyDelta>();
  /** By environment, by experiment. */
  readonly #activity = new Map<string, Map<string, ActivityDelta>>();
  /** An exposure for each value of each dimension, by phase. */
  readonly #met = new Map<
    object,
    { at: PhaseKey; values: Map<string, Map<string, UnitExposure>>; assignments: Set<Assignment> }
  >();

  /** An exposure that named these values, whatever becomes of it; `phase` is one object for one phase. */
  meet(environment: string, phaseObject: object, exposure: UnitExposure): void {
    let met = this.#met.get(phaseObject);
    const { assignment } = exposure;
    if (!met) {
      const { experiment, phase } = assignment;
      met = {
        at: { environment, experiment, phase },
        values: new Map(),
        assignments: new Set(),
      };
      this.#met.set(phaseObject, met);
    }
    if (met.assignments.has(assignment)) return;
    met.assignments.add(assignment);
    for (const { dimension, value } of assignment.dimensions) {
      const values = met.values.get(dimension);
      if (!values) met.values.set(dimension, new Map([[value, exposure]]));
      else if (!values.has(value)) values.set(value, exposure);
    }
  }

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
    let experiments = this.#activity.get(environment);
    if (!experiments) {
      experiments = new Map();
      this.#activity.set(environment, experiments);
    }
    const known = experiments.get(experiment);
    if (known) known.lastEventMs = Math.max(known.lastEventMs, lastEventMs);
    else experiments.set(experiment, { environment, experiment, lastEventMs });
  }

  /** Those whose kept values decide what the rows are. */
  phases(): PhaseKey[] {
    const phases = new Map<string, PhaseKey>();
    const note = ({ environment, experiment, phase }: PhaseKey) =>
      phases.set(`${environment} ${experiment} ${phase}`, { environment, experiment, phase });
    for (const { at, values } of this.#met.values()) if (values.size > 0) note(at);
    for (const { overall, parts } of this.#cohorts.values()) {
      if (parts.size > 0) note(overall.population);
    }
    return [...phases.values()];
  }

  /** Rows that change anything, given what is kept of the `phases`. Called once. */
  rows(lists: KeptLists): Deltas {
    const kept = this.#keep(lists);
    const sets = new Map([...lists].map(([key, values]) => [key, new Set(values)]));
    for (const change of kept) sets.set(dimensionKey(change), new Set(change.values));
    const populations: PopulationDelta[] = [];
    const cells: CellDelta[] = [];
    for (const { population, sums, isAdded } of this.#shownPlaces(sets)) {
      const { n, ...place } = population;
      if (n !== 0 || isAdded) populations.push(population);
      for (const [metric, sum] of sums ?? []) {
        if (Object.values(sum).some((each) => each !== 0)) cells.push({ ...place, metric, ...sum });
      }
    }
    const tallies = [...this.#tallies.values()].filter(({ n }) => n !== 0);
    const activity = [...this.#activity.values()].flatMap((each) => [...each.values()]);
    return { populations, cells, tallies, activity, kept };
  }

  #keep(lists: KeptLists): KeptChange[] {
    const changes: KeptChange[] = [];
    for (const { at, values } of this.#met.values()) {
      for (const [dimension, exposures] of values) {
        const place = { ...at, dimension };
        const change = keepValues(lists.get(dimensionKey(place)) ?? [], exposures.keys());
        if (change === null) continue;
        changes.push({ ...place, ...change });
        for (const value of change.added) {
          const exposure = exposures.get(value);
          if (!exposure) continue;
          placeOf(this.#cohortOf(at.environment, exposure), { dimension, value }).isAdded = true;
        }
      }
    }
    return changes;
  }

  *#shownPlaces(kept: ReadonlyMap<string, ReadonlySet<string>>): Generator<Place> {
    for (const { overall, parts } of this.#cohorts.values()) {
      yield overall;
      for (const [dimension, places] of parts) {
        const values = kept.get(dimensionKey({ ...overall.population, dimension }));
        yield* values === undefined ? places.values() : shownPlaces(places, values);
      }
    }
  }

  #move(
    environment: string,
    exposure: UnitExposure,
    n: -1 | 0 | 1,
    before: readonly MetricValue[],
    after: readonly MetricValue[],
  ): void {
    if (exposure.assignment.standing !== "counted") return;
    const changes = metricChanges(before, after);
    if (n === 0 && changes.length === 0) return;
    for (const place of this.#placesOf(environment, exposure)) change(place, n, changes);
  }

  /** That of all units, and one of each dimension. */
  #placesOf(environment: string, exposure: UnitExposure): readonly Place[] {
    const { assignment } = exposure;
    let cohorts = this.#places.get(assignment);
    if (!cohorts) {
      cohorts = new Map();
      this.#places.set(assignment, cohorts);
    }
    const cohortStart = cohortOf(exposure.timeMs);
    let places = cohorts.get(cohortStart);
    if (!places) {
      const cohort = this.#cohortOf(environment, exposure);
      places = [cohort.overall, ...assignment.dimensions.map((at) => placeOf(cohort, at))];
      cohorts.set(cohortStart, places);
    }
    return places;
  }

  #cohortOf(environment: string, exposure: UnitExposure): Cohort {
    const { experiment, phase, variant } = exposure.assignment;
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

  #tallyExposure(environment: string, exposure: UnitExposure, sign: 1 | -1): void {
    const { experiment, phase, standing, variant, secondVariant } = exposure.assignment;
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
    const population = { ...overall.population, dimension, value, n: 0 };
    place = { population, sums: isOrigin(dimension) ? null : new Map() };
    places.set(value, place);
  }
  return place;
}

/** Those of values that are not kept become one. */
function shownPlaces(
  places: ReadonlyMap<string, Place>,
  kept: ReadonlySet<string>,
): Iterable<Place> {
  const shown = new Map<string, Place>();
  for (const [of, place] of places) {
    const value = shownValue(of, kept);
    const known = shown.get(value);
    if (known) {
      const changes = [...(place.sums ?? [])].map(([metric, change]) => ({ metric, change }));
      change(known, place.population.n, changes);
    } else shown.set(value, { ...place, population: { ...place.population, value } });
  }
  return shown.values();
}

function change({ population, sums }: Place, n: number, changes: readonly MetricChange[]): void {
  population.n += n;
  if (sums === null) return;
  for (const { metric, change } of changes) {
    const sum = sums.get(metric);
    if (sum) addSums(sum, change);
    else sums.set(metric, { ...change });
  }
}

function samePlaces(a: UnitExposure, b: UnitExposure): boolean {
  return (
    a.assignment === b.assignment &&
    a.assignment.standing === "counted" &&
    cohortOf(a.timeMs) === cohortOf(b.timeMs)
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
