/**
 * One unit while a batch is folded: its events enter one by one, then what it contributes is settled once.
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
import { phaseOf } from "./plan.ts";
import type { CompiledPhase, CompiledPlan } from "./plan.ts";
import type { CountedEvent, ExposureEvent, OutcomeEvent } from "./types.ts";
import { utf8Length } from "./utf8.ts";

/** Who has more recent outcomes than this is no person, and would outgrow a row. */
const hotOutcomes = 5_000;

/** Old outcomes are dropped only from units that have more than this. */
const roomyOutcomes = 50;

/** Below what fits a JSON parameter of D1, key included. */
const documentBytes = 800_000;

const minuteMs = 60_000;

export interface UnitFold {
  plan: CompiledPlan;
  document: UnitDocument;
  /** As they were when the batch began. */
  before: { exposures: readonly UnitExposure[]; outside: readonly string[] };
  /** Of the ids of its outcomes, once one has arrived. */
  hashes?: Set<number>;
  changed: boolean;
  /** The newest event that entered. */
  newestMs: number;
}

export function openUnit(
  plan: CompiledPlan,
  stored: StoredDocument | undefined,
  firstEventMs: number,
): UnitFold {
  const document = stored ? decodeDocument(stored) : emptyDocument(firstEventMs);
  const { exposures, outside } = document;
  return {
    plan,
    document,
    before: { exposures: [...exposures], outside: [...outside] },
    changed: false,
    newestMs: -Infinity,
  };
}

export function addEvent(unit: UnitFold, event: CountedEvent, receivedAtMs: number): void {
  // An import is of the past by intention: it is never late.
  const delayMs = event.source === "import" ? 0 : Math.max(0, receivedAtMs - event.timeMs);
  const delayMinutes = Math.floor(delayMs / minuteMs);
  const changed =
    event.type === "exposure"
      ? addExposure(unit, event, delayMinutes)
      : addOutcome(unit, event, delayMinutes);
  if (!changed) return;
  unit.changed = true;
  unit.newestMs = Math.max(unit.newestMs, event.timeMs);
}

function addExposure(unit: UnitFold, event: ExposureEvent, delayMinutes: number): boolean {
  const { plan, document } = unit;
  const experiment = plan.experiments.get(event.experiment);
  const phase = experiment?.unit === event.kind ? phaseOf(experiment, event) : null;
  if (!experiment || !phase) {
    if (document.outside.includes(event.experiment)) return false;
    document.outside.push(event.experiment);
    return true;
  }
  const next = firstExposure(event, phase.phase, experiment.dimensions, delayMinutes);
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

function addOutcome(unit: UnitFold, event: OutcomeEvent, delayMinutes: number): boolean {
  const { document } = unit;
  if (document.hot || event.timeMs < document.floorMs) return false;
  const hashes = (unit.hashes ??= outcomeHashes(document));
  const hash = outcomeHash(event.id);
  if (hashes.has(hash)) return false;
  hashes.add(hash);
  const { name, timeMs, value = 1 } = event;
  pushOutcome(document, hash, { name, timeMs, value, delayMinutes });
  return true;
}

/**
 * Recomputes what the unit contributes, lets go of what it need not remember, and reports the difference.
 * The document as text; null when even the shortest would not fit a row: then the unit stays as it was.
 */
export function settleUnit(unit: UnitFold, deltas: DeltaCollector): string | null {
  const { plan, document, before } = unit;
  document.exposures = document.exposures.map((exposure, i) =>
    settled(exposure, exposure === before.exposures[i], unit),
  );
  dropOldOutcomes(unit);
  if (document.hot || document.outcomes.length > hotOutcomes * outcomeWidth) silence(document);
  let text = encodeDocument(document);
  if (utf8Length(text) > documentBytes) {
    silence(document);
    text = encodeDocument(document);
    if (utf8Length(text) > documentBytes) return null;
  }

  const { environment } = plan;
  for (const [i, after] of document.exposures.entries()) {
    if (after === before.exposures[i]) continue;
    deltas.replace(environment, before.exposures[i], after);
    deltas.active(environment, after.experiment, unit.newestMs);
  }
  for (const experiment of document.outside.slice(before.outside.length)) {
    deltas.tally({ environment, experiment, phase: 0, cause: "outside-phase", detail: "", n: 1 });
    deltas.active(environment, experiment, unit.newestMs);
  }
  return text;
}

/** The same object when nothing about it changes. */
function settled(
  exposure: UnitExposure,
  isUnmoved: boolean,
  { plan, document }: UnitFold,
): UnitExposure {
  const { experiment, standing } = exposure;
  const phase = phaseNumbered(plan, experiment, exposure.phase);
  if (!phase) return exposure;
  if (standing === "hot" || standing === "bot") return exclude(exposure, standing);
  if (
    phase.excludesEarlierPhases &&
    document.exposures.some((e) => e.experiment === experiment && e.phase < exposure.phase)
  ) {
    return exclude(exposure, "earlier-phase");
  }
  if (standing !== "counted") return exclude(exposure, standing);
  if (isUnmoved && isSealed(exposure, phase, document)) return exposure;
  const { values, lateEvents } = contributionOf(exposure, phase, document);
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

function dropOldOutcomes({ plan, document, newestMs }: UnitFold): void {
  if (document.outcomes.length <= roomyOutcomes * outcomeWidth) return;
  let newest = newestMs;
  forEachOutcome(document, (_, timeMs) => (newest = Math.max(newest, timeMs)));
  const floorMs = newest - plan.outcomeAgeMs;
  if (floorMs > document.floorMs) dropOutcomesBefore(document, floorMs);
}

/** As a bot: out of every population, and no outcome is kept any more. */
function silence(document: UnitDocument): void {
  document.hot = true;
  document.outcomes = [];
  document.names = [];
  document.exposures = document.exposures.map((exposure) => exclude(exposure, "hot"));
}
