/** Takes the looks of a ledger again, one after another, on what the archive gives for each, and says where the two differ. */

import type { LedgerRow } from "../../analysis/ledger.ts";
import { askedLook, plannedLook } from "../../analysis/look-due.ts";
import type { DueLook, LookInputs } from "../../analysis/look-due.ts";
import { rowsOf } from "../../analysis/take-look.ts";
import type { Phase } from "../../contracts/phase.ts";
import { closesAfterMs } from "../../counting/plan.ts";
import type { ReadArchive } from "./archived-readings.ts";
import type { AnsweredRow, LedgerAnswer } from "./ledger-answer.ts";

/** Sums are added up in another order here. */
const tolerance = 1e-9;

export interface Difference {
  look: number;
  metric: string;
  variant: string;
  field: string;
  ledger: string;
  archive: string;
}

export async function auditLooks(
  answer: LedgerAnswer,
  read: ReadArchive,
): Promise<{ looks: number; differences: Difference[] }> {
  const frozen = answer.phases.find(({ phase }) => phase === answer.phase);
  if (frozen === undefined) throw new RangeError(`there is no phase ${answer.phase}`);
  const ledger: LedgerRow[] = [];
  const differences: Difference[] = [];
  const byLook = Map.groupBy(answer.looks, ({ watermark }) => watermark);
  for (const rows of byLook.values()) {
    const [first] = rows;
    if (first === undefined) continue;
    const inputs = await inputsOf(frozen, first, { ledger, read });
    const due = dueOf(inputs, first);
    const taken = due === null ? [] : rowsOf(inputs, due);
    for (const row of rows) {
      const again = taken.find(
        ({ metric, variant }) => metric === row.metric && variant === row.variant,
      );
      differences.push(...compared(row, again));
    }
    ledger.push(...taken);
  }
  return { looks: answer.looks.length, differences };
}

async function inputsOf(
  frozen: Phase,
  { takenAt, recordedAtMs }: AnsweredRow,
  { ledger, read }: { ledger: readonly LedgerRow[]; read: ReadArchive },
): Promise<LookInputs> {
  const takenAtMs = Date.parse(takenAt);
  const primaries = frozen.metrics.filter(({ role }) => role === "primary");
  const archived = await Promise.all(
    primaries.map(async (metric) => ({
      metric,
      ...(await read(metric, { takenAtMs, recordedAtMs })),
    })),
  );
  // The metric whose window closes last says when the newest units had matured for all.
  const [longest] = archived.toSorted((a, b) => closesAfterMs(b.metric) - closesAfterMs(a.metric));
  return {
    phase: asItWas(frozen, recordedAtMs),
    matured: new Map(
      archived.map(({ metric, readings }) => [metric.key, inOrder(frozen, readings)]),
    ),
    ledger: [...ledger],
    asOfMs: takenAtMs,
    watermarkMs: longest?.maturedUntilMs ?? 0,
    recordedAtMs,
    unmatured: archived.some(({ unmatured }) => unmatured),
  };
}

/** Every variant has one, in the order of the phase. */
function inOrder(
  { variants }: Phase,
  readings: ReadonlyMap<string, LedgerRow["inputs"]["control"]>,
) {
  const sums = { y: 0, yy: 0, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 };
  return new Map(variants.map(({ variant }) => [variant, readings.get(variant) ?? { n: 0, sums }]));
}

/** Before what was planned anew, and what was stopped or resumed, later. */
function asItWas(phase: Phase, recordedAtMs: number): Phase {
  const untilMs = recordedAtMs === 0 ? Infinity : recordedAtMs;
  const { replanned = [], ...plan } = phase.plan;
  const known = replanned.filter(({ atMs }) => atMs <= untilMs);
  return {
    ...phase,
    running: phase.running
      .filter(([from]) => from <= untilMs)
      .map(([from, to]) => [from, to !== null && to <= untilMs ? to : null]),
    plan: { ...plan, ...(known.length > 0 && { replanned: known }) },
  };
}

function dueOf(inputs: LookInputs, { cause }: AnsweredRow): DueLook | null {
  if (cause === "planned") return plannedLook(inputs);
  const due = askedLook(inputs, { cause });
  return due.ok ? due.value : null;
}

function compared(row: AnsweredRow, again: LedgerRow | undefined): Difference[] {
  const { look, metric, variant } = row;
  const place = { look, metric, variant };
  if (again === undefined) {
    return [{ ...place, field: "look", ledger: "a look", archive: "none that is due" }];
  }
  const { takenAt: _takenAt, watermark, ...rest } = row;
  const expected = flat({ ...rest, watermarkMs: Date.parse(watermark) });
  const found = new Map(flat({ ...again }));
  return expected.flatMap(([field, ledger]) => {
    const archive = found.get(field);
    return field === "analysisVersion" || isSame(ledger, archive)
      ? []
      : [{ ...place, field, ledger: String(ledger), archive: String(archive) }];
  });
}

/** Leaves by their path. */
function flat(value: object, prefix = ""): [field: string, value: unknown][] {
  return Object.entries(value).flatMap(([name, each]: [string, unknown]): [string, unknown][] =>
    typeof each === "object" && each !== null
      ? flat(each, `${prefix}${name}.`)
      : [[`${prefix}${name}`, each]],
  );
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}
