/**
 * Folds what arrived for one unit: its events enter one by one, then what it contributes is settled once.
 * Contributions come from the whole log of recent outcomes, so the order in which events entered leaves no trace.
 */

import { contributionOf } from "./contribution.ts";
import type { DeltaCollector } from "./deltas.ts";
import {
  decodeDocument,
  dropOutcomesBefore,
  emptyDocument,
  encodeDocument,
  forEachOutcome,
  hasOutcome,
  outcomeHash,
  outcomeHashes,
  outcomeWidth,
  pushOutcome,
} from "./document.ts";
import type {
  MetricValue,
  Standing,
  StoredDocument,
  UnitDocument,
  UnitExposure,
} from "./document.ts";
import { firstExposure, mergeExposures } from "./exposure.ts";
import type { Names } from "./names.ts";
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
  plan: CompiledPlan;
  /** Of the plan's environment. */
  names: Names;
  /** In the order of arrival. */
  arrivals: { event: CountedEvent; receivedAtMs: number }[];
}

/** The unit's document as text after these events; null when nothing about the unit changes. */
export function foldUnit(
  unit: UnitEvents,
  stored: StoredDocument | undefined,
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
  if (document.outcomes.length > roomy * outcomeWidth) dropOldOutcomes(document, newestMs, plan);
  const text = encodeWithin(document, names);
  if (text === null) return null;

  const { environment } = plan;
  for (const [i, after] of document.exposures.entries()) {
    if (after === before.exposures[i]) continue;
    deltas.replace(environment, before.exposures[i], after);
    deltas.active(environment, after.experiment, newestMs);
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
  const hashes = new Set(outcomeHashes(document));
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
  { plan, deltas }: Scope,
): boolean {
  const experiment = plan.experiments.get(event.experiment);
  const phase = experiment?.unit === event.kind ? phaseOf(experiment, event) : null;
  if (!experiment || !phase) {
    if (document.outside.includes(event.experiment)) return false;
    document.outside.push(event.experiment);
    return true;
  }
  const next = firstExposure(event, phase.phase, experiment.dimensions, delayMinutes);
  deltas.meet(plan.environment, phase, next);
  const index = document.exposures.findIndex(
    (known) => known.experiment === event.experiment && known.phase === phase.phase,
  );
  const known = document.exposures[index];
  if (!known) {
    document.exposures.push(next);
    return true;
  }
  const merged = mergeExposures(known, next);
  const onlyMoves = merged.standing === "counted";
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
  if (isSeen === null ? hasOutcome(document, hash) : isSeen(hash)) return false;
  const { name, timeMs, value = 1 } = event;
  pushOutcome(document, hash, { nameId: names.idOf(name), timeMs, value, delayMinutes });
  return true;
}

/** Recomputes standings and contributions; an exposure about which nothing changes stays the same object. */
function settle(document: UnitDocument, before: readonly UnitExposure[], unit: UnitEvents): void {
  document.exposures = document.exposures.map((exposure, i) => {
    const phase = phaseNumbered(unit.plan, exposure.experiment, exposure.phase);
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
  const { experiment, standing } = exposure;
  if (standing === "hot" || standing === "bot") return exclude(exposure, standing);
  if (
    phase.excludesEarlierPhases &&
    document.exposures.some((e) => e.experiment === experiment && e.phase < exposure.phase)
  ) {
    return exclude(exposure, "earlier-phase");
  }
  if (standing !== "counted") return exclude(exposure, standing);
  if (isUnmoved && isSealed(exposure, phase, document)) return exposure;
  const { values, lateEvents } = contributionOf(exposure, phase, document, names);
  return lateEvents === exposure.lateEvents && equalValues(values, exposure.values)
    ? exposure
    : { ...exposure, values, lateEvents };
}

function phaseNumbered(plan: CompiledPlan, experiment: string, phase: number) {
  return plan.experiments.get(experiment)?.phases.find((each) => each.phase === phase);
}

/** Outcomes that it may have counted are gone: what it contributes stands until the cells are rebuilt. */
function isSealed(exposure: UnitExposure, phase: CompiledPhase, document: UnitDocument): boolean {
  return exposure.timeMs - phase.lookbackMs < document.floorMs;
}

function exclude(exposure: UnitExposure, standing: Standing): UnitExposure {
  if (exposure.standing === standing && exposure.dimensions.length === 0) return exposure;
  return { ...exposure, standing, dimensions: [], values: [], lateEvents: 0 };
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
  let newest = newestMs;
  forEachOutcome(document, (_, timeMs) => (newest = Math.max(newest, timeMs)));
  const floorMs = newest - plan.outcomeAgeMs;
  if (floorMs > document.floorMs) dropOutcomesBefore(document, floorMs);
}

/** As text that fits a row, silenced if that is what it takes; null when not even that is enough. */
function encodeWithin(document: UnitDocument, names: Names): string | null {
  if (document.hot || document.outcomes.length > hotOutcomes * outcomeWidth) silence(document);
  const text = encodeDocument(document, names);
  if (fits(text)) return text;
  silence(document);
  const silenced = encodeDocument(document, names);
  return fits(silenced) ? silenced : null;
}

/** A UTF-16 unit takes at most three bytes: most texts need no counting. */
function fits(text: string): boolean {
  return text.length * 3 <= documentBytes || utf8Length(text) <= documentBytes;
}

/** As a bot: out of every population, and no outcome is kept any more. */
function silence(document: UnitDocument): void {
  document.hot = true;
  document.outcomes = [];
  document.exposures = document.exposures.map((exposure) => exclude(exposure, "hot"));
}
