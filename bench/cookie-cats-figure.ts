/// <reference types="node" />
/**
 * Cookie Cats in 14 daily stretches, players in the order of their ids as they come in the file: the p-value that somebody would read every day beside
 * the looks of a sequential plan. Prints the table of docs/statistics.md and writes its figure. The file is third-party data, read from the shared folder.
 * `node bench/cookie-cats-figure.ts`
 */
import { createReadStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parse } from "csv-parse";
import * as z from "zod/mini";
import type { LedgerRow } from "../analysis/ledger.ts";
import { compare } from "../analysis/readings.ts";
import type { Reading } from "../analysis/readings.ts";
import { takeLook } from "../analysis/take-look.ts";
import type { Phase, PhaseMetric } from "../contracts/phase.ts";
import { normal } from "../stats/index.ts";
import { sharedFile } from "../test/shared-folder.ts";

const days = 14;
const dayMs = 24 * 3_600_000;
const startMs = Date.UTC(2026, 0, 1);
const metrics = ["retention_1", "retention_7"] as const;
const figure = resolve(import.meta.dirname, "../docs/figures/cookie-cats.svg");

const row = z.object({ version: z.string(), retention_1: z.string(), retention_7: z.string() });

interface Day {
  p: number;
  look: LedgerRow | null;
}

const file = sharedFile("data/cookie_cats.csv");
if (file !== null) {
  const players = z.parse(
    z.array(row),
    await createReadStream(file)
      .pipe(parse({ columns: true }))
      .toArray(),
  );
  const series = metrics.map((metric) => ({ metric, days: daily(metric, players) }));
  print(series);
  await mkdir(resolve(figure, ".."), { recursive: true });
  await writeFile(figure, svg(series));
}

function daily(metric: (typeof metrics)[number], players: readonly z.output<typeof row>[]): Day[] {
  const definition: PhaseMetric = {
    key: metric,
    type: "proportion",
    event: metric,
    aggregation: "any",
    windowMs: 3_600_000,
    role: "primary",
    direction: "increase",
  };
  const phase: Phase = {
    phase: 1,
    salt: "s",
    unit: "userid",
    control: "gate_30",
    variants: ["gate_30", "gate_40"].map((variant) => ({ variant, weightBasisPoints: 5_000 })),
    layer: null,
    layerSalt: "l",
    slots: [[0, 10_000]],
    dimensions: [],
    excludesEarlierPhases: false,
    exploratory: false,
    metrics: [definition],
    running: [[startMs, null]],
    plan: {
      alpha: 0.05,
      ledgerAlpha: 0.05,
      power: 0.8,
      sides: 2,
      spending: "obrien-fleming",
      futility: "none",
      maximumSampleSize: players.length,
      looks: { every: "day", count: days },
    },
  };
  const ledger: LedgerRow[] = [];
  return Array.from({ length: days }, (_, index): Day => {
    const seen = players.slice(0, Math.round(((index + 1) * players.length) / days));
    const reading = (variant: string): Reading => {
      const own = seen.filter((player) => player.version === variant);
      const y = own.filter((player) => player[metric] === "TRUE").length;
      return { n: own.length, sums: { y, yy: y, d: 0, dd: 0, yd: 0, x: 0, xx: 0, xy: 0 } };
    };
    const readings = new Map(phase.variants.map(({ variant }) => [variant, reading(variant)]));
    const at = startMs + (index + 1) * dayMs;
    const [look = null] = takeLook({
      phase,
      matured: new Map([[metric, readings]]),
      ledger: [...ledger],
      asOfMs: at,
      watermarkMs: at,
      recordedAtMs: at,
    });
    if (look !== null) ledger.push(look);
    const names = { control: "gate_30", treatment: "gate_40", level: 0.95 };
    return { p: compare(definition, readings, names).pValue ?? 1, look };
  });
}

type Series = readonly { metric: string; days: readonly Day[] }[];

function print(series: Series): void {
  console.log(
    `| day | ${series.map(({ metric }) => `${metric}: p that day | z | boundary`).join(" | ")} |`,
  );
  console.log(`|---|${"---|---|---|".repeat(series.length)}`);
  for (let day = 0; day < days; day += 1) {
    const cells = series.map(({ days: all }) => {
      const { p, look } = all[day] ?? { p: 1, look: null };
      const crossed = look?.crossed === true ? " crossed" : "";
      const z = look?.z?.toFixed(2) ?? "–";
      return `${p.toPrecision(2)}${p < 0.05 ? " *" : ""} | ${z} | ${look === null ? "closed" : (look.boundary?.toFixed(2) ?? "none")}${crossed}`;
    });
    console.log(`| ${day + 1} | ${cells.join(" | ")} |`);
  }
}

/** |z| by day for each metric, the boundary, and the line that a daily reader holds p < 0.05 against. */
function svg(series: Series): string {
  const [width, height, left, bottom, top] = [720, 360, 48, 40, 16];
  const most = 6;
  const x = (day: number) => left + ((day - 1) * (width - left - 110)) / (days - 1);
  const y = (value: number) =>
    top + ((most - Math.min(most, value)) * (height - top - bottom)) / most;
  const line = (points: readonly [number, number][], style: string) =>
    `<polyline fill="none" ${style} points="${points.map(([day, value]) => `${x(day).toFixed(1)},${y(value).toFixed(1)}`).join(" ")}"/>`;
  const label = (at: [number, number], text: string, more = "") =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${more}>${text}</text>`;
  const colours = ["#0f766e", "#b45309"];
  const bounds =
    series[0]?.days.flatMap(({ look }, index): [number, number][] =>
      look?.boundary === null || look === null ? [] : [[index + 1, look.boundary]],
    ) ?? [];
  const lines = series.map(({ metric, days: all }, index) => {
    const colour = colours[index] ?? "black";
    const points = all.map(({ p }, day): [number, number] => [day + 1, deviate(p)]);
    const crossing = all.findIndex(({ look }) => look?.crossed === true);
    const [, last = 0] = points.at(-1) ?? [];
    const mark = points[crossing];
    return [
      line(points, `stroke="${colour}" stroke-width="2"`),
      label([x(days) + 8, y(last) + 4], metric, `fill="${colour}"`),
      mark === undefined
        ? ""
        : `<circle cx="${x(mark[0]).toFixed(1)}" cy="${y(mark[1]).toFixed(1)}" r="5" fill="${colour}"/>`,
    ].join("\n");
  });
  const axis = Array.from({ length: most + 1 }, (_, value) =>
    label([left - 8, y(value) + 4], String(value), 'text-anchor="end" fill="#555"'),
  );
  const ticks = Array.from({ length: days }, (_, index) =>
    label(
      [x(index + 1), height - bottom + 18],
      String(index + 1),
      'text-anchor="middle" fill="#555"',
    ),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="Cookie Cats by day: |z| against the sequential boundary and against 1.96">
<rect width="${width}" height="${height}" fill="white"/>
${axis.join("\n")}
${ticks.join("\n")}
${label([(left + width - 110) / 2, height - 4], "day", 'text-anchor="middle" fill="#555"')}
${label([left - 36, top + 4], "|z|", 'fill="#555"')}
${line(
  [
    [1, 1.959964],
    [days, 1.959964],
  ],
  'stroke="#999" stroke-dasharray="4 4"',
)}
${label([left + 4, y(1.959964) - 6], "p &lt; 0.05 on that day", 'fill="#777"')}
${line(bounds, 'stroke="#1d4ed8" stroke-width="2"')}
${label([x(days) + 8, y(2.1) - 10], "boundary", 'fill="#1d4ed8"')}
${lines.join("\n")}
</svg>
`;
}

/** |z| of a two-sided p. */
function deviate(p: number): number {
  return p >= 1 ? 0 : -normal.quantile(p / 2);
}
