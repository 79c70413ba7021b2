/** The results of a replayed experiment as a person reads them. */

import * as z from "zod/mini";
import type { Api } from "./api.ts";

const number = z.nullable(z.number());

const look = z.object({
  look: z.number(),
  informationFraction: z.number(),
  z: number,
  boundary: number,
  crossed: z.boolean(),
});

const answer = z.object({
  sampleRatio: z.object({ pValue: number, mismatch: z.boolean() }),
  metrics: z.array(
    z.object({
      metric: z.string(),
      role: z.string(),
      variants: z.record(z.string(), z.object({ n: z.number(), mean: number, sum: z.number() })),
      comparisons: z.array(
        z.object({
          variant: z.string(),
          lift: number,
          relativeLift: number,
          pValue: number,
          sequential: z.nullable(z.object({ looks: z.array(look) })),
        }),
      ),
    }),
  ),
  recommendation: z.object({ action: z.string(), because: z.string() }),
});

type Answer = z.output<typeof answer>;

export async function summarise(api: Api, experiment: string): Promise<string> {
  const results = await api.get(`/experiments/${experiment}/results`, answer);
  if (results === null) return `There is no experiment ${experiment}.`;
  const { sampleRatio, metrics, recommendation } = results;
  return [
    `Sample ratio: p = ${figure(sampleRatio.pValue)}${sampleRatio.mismatch ? ", MISMATCH" : ""}`,
    ...metrics.flatMap(metricLines),
    `Recommendation: ${recommendation.action}. ${recommendation.because}`,
  ].join("\n");
}

function metricLines({ metric, role, variants, comparisons }: Answer["metrics"][number]): string[] {
  return [
    `${metric} (${role})`,
    ...Object.entries(variants).map(
      ([variant, { n, mean, sum }]) =>
        `  ${variant}: n = ${n}, sum = ${sum}, mean = ${figure(mean)}`,
    ),
    ...comparisons.flatMap(({ variant, lift, relativeLift, pValue, sequential }) => [
      `  ${variant} against the control: ${figure(lift)} (${figure(relativeLift)} relative), fixed-sample p = ${figure(pValue)}`,
      ...(sequential?.looks ?? []).map(
        ({ look, informationFraction, z, boundary, crossed }) =>
          `    look ${look} at ${figure(informationFraction)} of the information: z = ${figure(z)}, boundary ${figure(boundary)}${crossed ? ", CROSSED" : ""}`,
      ),
    ]),
  ];
}

function figure(value: number | null): string {
  return value === null ? "–" : String(Number(value.toPrecision(4)));
}
