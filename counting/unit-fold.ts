/**
 * Folds what arrived for one unit: its events enter one by one, then what it contributes is settled once.
 * Contributions come from the whole log of recent outcomes, so the order in which events entered leaves no trace.
 */

import type { Assignment, Standing } from "./assignment.ts";
import { contributionOf } from "./contribution.ts";
import type { DeltaCollector } from "./deltas.ts";
import { decodeDocument, emptyDocument, encodeDocument } from "./document.ts";
import type { MetricValue, UnitDocument, UnitExposure } from "./document.ts";
import { firstExposure, mergeExposures } from "./exposure.ts";
import type { Names } from "./names.ts";
import { OutcomeLog, outcomeHash } from "./outcome-log.ts";
import { phaseOf } from "./plan.ts";
import type { CompiledPhase, CompiledPlan } from "./plan.ts";
import type { CountedEvent, ExposureEvent, OutcomeEvent } from "./types.ts";
import { utf8Length } from "./utf8.ts";

/** Who has more recent outcomes than this is no person, and would outgrow a row. */
const hotOutcomes = 5_000;

/** Old outcomes are dropped only from units that have more than this. */
const roomyOutcomes = 50;
/** The same where the past is kept: bounds what a fold holds of an isolate's memory. */
const pastOutcomes = 1_000;

/** Below what fits a JSON parameter of D1, key included. */
const documentBytes = 800_000;

/** Of more, a unit's known outcomes are looked up instead of looked through. */
const fewArrivals = 20;

const minuteMs = 60_000;

export interface UnitEvents {
  key: string;
  plan: CompiledPlan;
  /** Of the plan's environment. */
  names: Names;
  /** In the order of arrival. */
  arrivals: { event: CountedEvent; receivedAtMs: number }[];
}

/** The unit's document as text after these events; null when nothing about the unit changes. */
export function foldUnit(
  unit: UnitEvents,
  stored: string | undefined,
  { deltas, keepsPast }: { deltas: DeltaCollector; keepsPast: boolean },
): string | null {
  const { plan, names, arrivals } = unit;
  const document = stored
    ? decodeDocument(stored, names)
    : emptyDocument(arrivals[0]?.event.timeMs ?? 0);
  const isSeen = arrivals.length > fewArrivals ? seenIn(document) : null;
  const scope = { plan, names, deltas, isSeen };
  const before = { exposures: [...document.exposures], outside: document.outside.length };
  let newestMs = -Infinity;
  for (const { event, receivedAtMs } of arrivals) {
    if (addEvent(document, event, receivedAtMs, scope)) newestMs = Math.max(newestMs, event.timeMs);
  }
  if (newestMs === -Infinity) return null;

  settle(document, before.exposures, unit);
  const roomy = keepsPast ? pastOutcomes : roomyOutcomes;
  if (document.outcomes.all.length > roomy) dropOldOutcomes(document, newestMs, plan);
  const text = encodeWithin(document, names);
  if (text === null) return null;

  const { environment } = plan;
  for (const [i, after] of document.exposures.entries()) {
    if (after === before.exposures[i]) continue;
    deltas.replace(environment, before.exposures[i], after);
    deltas.active(environment, after.assignment.experiment, newestMs);
  }
  for (const experiment of document.outside.slice(before.outside)) {
    deltas.tally({ environment, experiment, phase: 0, cause: "outside-phase", detail: "", n: 1 });
    deltas.active(environment, experiment, newestMs);
  }
  return text;
}

interface Scope {
  plan: CompiledPlan;
  names: Names;
  deltas: DeltaCollector;
  /** Whether an outcome of that hash is known, which from then on it is; null: look through the document, which is faster for a few. */
  isSeen: ((hash: number) => boolean) | null;
}

function seenIn(document: UnitDocument): (hash: number) => boolean {
  const hashes = new Set(document.outcomes.all.map((known) => known.hash));
  return (hash) => {
    if (hashes.has(hash)) return true;
    hashes.add(hash);
    return false;
  };
}

/** Whether the event says anything new. */
function addEvent(
  document: UnitDocument,
  event: CountedEvent,
  receivedAtMs: number,
  scope: Scope,
): boolean {
  // An import is of the past by intention: it is never late.
  const delayMs = event.source === "import" ? 0 : Math.max(0, receivedAtMs - event.timeMs);
  const delayMinutes = Math.floor(delayMs / minuteMs);
  return event.type === "exposure"
    ? addExposure(document, event, delayMinutes, scope)
    : addOutcome(document, event, delayMinutes, scope);
}

function addExposure(
  document: UnitDocument,
  event: ExposureEvent,
  delayMinutes: number,
  { plan, names, deltas }: Scope,
): boolean {
  const experiment = plan.experiments.get(event.experiment);
  const phase = experiment?.unit === event.kind ? phaseOf(experiment, event) : null;
  if (!experiment || !phase) {
    if (document.outside.includes(event.experiment)) return false;
    document.outside.push(event.experiment);
    return true;
  }
  const next = firstExposure(event, experiment, { phase: phase.phase, delayMinutes, names });
  deltas.meet(plan.environment, phase, next);
  const index = document.exposures.findIndex(
    ({ assignment }) =>
      assignment.experiment === event.experiment && assignment.phase === phase.phase,
  );
  const known = document.exposures[index];
  if (!known) {
    document.exposures.push(next);
    return true;
  }
  const merged = mergeExposures(known, next, names);
  const onlyMoves = merged.assignment.standing === "counted";
  if (merged === known || (onlyMoves && isSealed(known, phase, document))) return false;
  document.exposures[index] = merged;
  return true;
}

function addOutcome(
  document: UnitDocument,
  event: OutcomeEvent,
  delayMinutes: number,
  { names, isSeen }: Scope,
): boolean {
  if (document.hot || event.timeMs < document.floorMs) return false;
  const hash = outcomeHash(event.id);
  if (isSeen === null ? document.outcomes.has(hash) : isSeen(hash)) return false;
  const { name, timeMs, value = 1 } = event;
  document.outcomes.push({ hash, nameId: names.idOf(name), timeMs, value, delayMinutes });
  return true;
}

/** Recomputes standings and contributions; an exposure about which nothing changes stays the same object. */
function settle(document: UnitDocument, before: readonly UnitExposure[], unit: UnitEvents): void {
  document.exposures = document.exposures.map((exposure, i) => {
    const phase = phaseNumbered(unit.plan, exposure.assignment);
    if (!phase) return exposure;
    return settled(
      exposure,
      { isUnmoved: exposure === before[i], phase, names: unit.names },
      document,
    );
  });
}

function settled(
  exposure: UnitExposure,
  { isUnmoved, phase, names }: { isUnmoved: boolean; phase: CompiledPhase; names: Names },
  document: UnitDocument,
): UnitExposure {
  const { experiment, standing } = exposure.assignment;
  if (standing === "hot" || standing === "bot") return exclude(exposure, standing, names);
  if (
    phase.excludesEarlierPhases &&
    document.exposures.some(
      ({ assignment }) => assignment.experiment === experiment && assignment.phase < phase.phase,
    )
  ) {
    return exclude(exposure, "earlier-phase", names);
  }
  if (standing !== "counted") return exclude(exposure, standing, names);
  if (isUnmoved && isSealed(exposure, phase, document)) return exposure;
  const { values, lateEvents } = contributionOf(exposure, phase, document, names);
  return lateEvents === exposure.lateEvents && equalValues(values, exposure.values)
    ? exposure
    : { ...exposure, values, lateEvents };
}

function phaseNumbered(plan: CompiledPlan, { experiment, phase }: Assignment) {
  return plan.experiments.get(experiment)?.phases.find((each) => each.phase === phase);
}

/** Outcomes that it may have counted are gone: what it contributes stands until the cells are rebuilt. */
function isSealed(exposure: UnitExposure, phase: CompiledPhase, document: UnitDocument): boolean {
  return exposure.timeMs - phase.lookbackMs < document.floorMs;
}

function exclude(exposure: UnitExposure, standing: Standing, names: Names): UnitExposure {
  const { assignment } = exposure;
  if (assignment.standing === standing && assignment.dimensions.length === 0) return exposure;
  const excluded = names.assignments.of({ ...assignment, standing, dimensions: [] });
  return { ...exposure, assignment: excluded, values: [], lateEvents: 0 };
}

function equalValues(a: readonly MetricValue[], b: readonly MetricValue[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ metric, y, d, x }, i) => {
      const other = b[i];
      return other?.metric === metric && other.y === y && other.d === d && other.x === x;
    })
  );
}

function dropOldOutcomes(document: UnitDocument, newestMs: number, plan: CompiledPlan): void {
  const newest = document.outcomes.all.reduce(
    (latest, { timeMs }) => Math.max(latest, timeMs),
    newestMs,
  );
  const floorMs = newest - plan.outcomeAgeMs;
  if (floorMs <= document.floorMs) return;
  document.outcomes.dropBefore(floorMs);
  document.floorMs = floorMs;
}

/** As text that fits a row, silenced if that is what it takes; null when not even that is enough. */
function encodeWithin(document: UnitDocument, names: Names): string | null {
  if (document.hot || document.outcomes.all.length > hotOutcomes) silence(document, names);
  const text = encodeDocument(document, names);
  if (fits(text)) return text;
  silence(document, names);
  const silenced = encodeDocument(document, names);
  return fits(silenced) ? silenced : null;
}

/** As a JSON text. A UTF-16 unit takes at most three bytes, and one that is escaped two: most texts need no counting. */
function fits(text: string): boolean {
  return text.length * 3 <= documentBytes || utf8Length(JSON.stringify(text)) <= documentBytes;
}

/** As a bot: out of every population, and no outcome is kept any more. */
function silence(document: UnitDocument, names: Names): void {
  document.hot = true;
  document.outcomes = new OutcomeLog(document.baseMs, "");
  document.exposures = document.exposures.map((exposure) => exclude(exposure, "hot", names));
}
