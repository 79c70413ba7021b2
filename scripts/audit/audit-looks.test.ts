import { expect, test } from "vitest";
import { converted, matured, phaseOf, startMs } from "../../analysis/fixtures.ts";
import type { LedgerRow } from "../../analysis/ledger.ts";
import type { Reading } from "../../analysis/readings.ts";
import { takeLook } from "../../analysis/take-look.ts";
import { auditLooks } from "./audit-looks.ts";
import type { ReadArchive } from "./archived-readings.ts";
import type { LedgerAnswer } from "./ledger-answer.ts";

const dayMs = 86_400_000;
const days: Record<"a" | "b", Reading>[] = [
  { a: converted(1_000, 100), b: converted(1_000, 110) },
  { a: converted(2_400, 240), b: converted(2_350, 260) },
];

/** As `GET …/looks` answers it. */
function answered(change: (row: LedgerRow) => LedgerRow = (row) => row): LedgerAnswer {
  const ledger: LedgerRow[] = [];
  days.forEach((readings, day) => {
    const at = startMs + (day + 1) * dayMs;
    const instants = { asOfMs: at, watermarkMs: at - 1_000, recordedAtMs: at };
    ledger.push(
      ...takeLook({
        phase: phaseOf(),
        matured: matured(readings),
        ledger: [...ledger],
        ...instants,
      }),
    );
  });
  const rows = ledger.map((row) => change(row));
  return JSON.parse(
    JSON.stringify({
      environment: "e",
      experiment: "x",
      phase: 1,
      phases: [phaseOf()],
      looks: rows.map(({ takenAtMs, watermarkMs, ...row }) => ({
        ...row,
        takenAt: new Date(takenAtMs).toISOString(),
        watermark: new Date(watermarkMs).toISOString(),
      })),
    }),
  ) as LedgerAnswer;
}

const read: ReadArchive = async (_metric, { takenAtMs }) => ({
  readings: new Map(Object.entries(days[Math.round((takenAtMs - startMs) / dayMs) - 1] ?? {})),
  maturedUntilMs: takenAtMs - 1_000,
  unmatured: false,
});

test("a ledger that the archive supports has no differences", async () => {
  expect(await auditLooks(answered(), read)).toEqual({ looks: 2, differences: [] });
});

test.each([
  ["z", (row: LedgerRow) => ({ ...row, z: 1.5 })],
  ["boundary", (row: LedgerRow) => ({ ...row, boundary: (row.boundary ?? 0) + 1e-8 })],
  ["crossed", (row: LedgerRow) => ({ ...row, crossed: true })],
  [
    "inputs.treatment.sums.y",
    (row: LedgerRow) => ({
      ...row,
      inputs: { ...row.inputs, treatment: converted(row.inputs.treatment.n, 500) },
    }),
  ],
] as const)("a changed %s is found in its row", async (field, change) => {
  const { differences } = await auditLooks(
    answered((row) => (row.look === 2 ? change(row) : row)),
    read,
  );
  expect(differences.every(({ look }) => look === 2)).toBe(true);
  expect(differences.map((each) => each.field)).toContain(field);
});

test("a look that was not due, on what the archive has, is found", async () => {
  const fewer: ReadArchive = async (metric, asOf) => {
    const { maturedUntilMs } = await read(metric, asOf);
    const few = { a: converted(500, 50), b: converted(500, 50) };
    return { readings: new Map(Object.entries(few)), maturedUntilMs, unmatured: false };
  };
  const { differences } = await auditLooks(answered(), fewer);
  expect(differences[0]).toMatchObject({ look: 1, field: "look", archive: "none that is due" });
});
