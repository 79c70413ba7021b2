/** What the shape of an experiment's body cannot say: sums, uniqueness and references between its fields. */

import type { ExperimentBody } from "../contracts/experiment.ts";
import type { FieldError } from "../contracts/problem.ts";
import type { Flag } from "../core/index.ts";
import { conditionErrors } from "./check-condition.ts";
import { pageEditsErrors } from "./check-page-edits.ts";
import { duplicates } from "./duplicates.ts";
import { bodyOf, inForce } from "./environment-state.ts";
import type { EnvironmentState } from "./environment-state.ts";
import { isUnfinished } from "./experiment.ts";
import { flagTypeOf } from "./flag-type.ts";
import { scheduleErrors } from "./schedule.ts";

export function checkExperiment(body: ExperimentBody, state: EnvironmentState): FieldError[] {
  return [
    ...checkWeights(body),
    ...checkControl(body),
    ...duplicates(
      body.variants.map((variant) => variant.key),
      (index) => `/variants/${index}/key`,
      "Each variant has a key of its own",
    ),
    ...(body.flag === undefined
      ? checkValues(body)
      : checkFlag(body, bodyOf(state.flags, body.flag))),
    ...checkMetrics(body, new Set(inForce(state.metrics).map((metric) => metric.body.key))),
    ...checkPlan(body),
    ...(body.schedule === undefined
      ? []
      : scheduleErrors(body.schedule, { traffic: body.traffic, pointer: "/schedule" })),
    ...(body.layer === undefined ? [] : checkLayer(body, body.layer, state)),
    ...(body.targeting === undefined ? [] : conditionErrors(body.targeting, "/targeting", state)),
  ];
}

/** Buckets of different kinds of unit would say nothing about each other. */
function checkLayer(
  { key, unit }: ExperimentBody,
  layer: string,
  { layers, experiments }: EnvironmentState,
): FieldError[] {
  if (bodyOf(layers, layer) === null) {
    return [{ pointer: "/layer", detail: `There is no layer ${layer}.` }];
  }
  const other = experiments.find(
    (record) => record.key !== key && isUnfinished(record) && record.body.layer === layer,
  );
  return other === undefined || other.body.unit === unit
    ? []
    : [
        {
          pointer: "/unit",
          detail: `The layer ${layer} divides ${other.body.unit} (the experiment ${other.key}); units of another kind would be in several of its experiments.`,
        },
      ];
}

function checkWeights({ variants }: ExperimentBody): FieldError[] {
  const sum = variants.reduce((total, { weight }) => total + Math.round(weight * 100), 0);
  if (sum === 10_000) return [];
  return [
    {
      pointer: "/variants",
      detail: `The weights sum to ${sum / 100}; they are percentages and must sum to 100.`,
    },
  ];
}

function checkControl({ variants }: ExperimentBody): FieldError[] {
  const controls = variants.filter((variant) => variant.isControl);
  if (controls.length === 1) return [];
  const detail =
    controls.length === 0
      ? "No variant is the control; set isControl: true on exactly one."
      : `${controls.length} variants are controls (${controls.map(({ key }) => key).join(", ")}); set isControl: true on exactly one.`;
  return [{ pointer: "/variants", detail }];
}

function checkValues({ variants }: ExperimentBody): FieldError[] {
  const missing = variants.flatMap(({ value }, index) =>
    value === undefined
      ? [
          {
            pointer: `/variants/${index}/value`,
            detail: "Give the value that this variant serves.",
          },
        ]
      : [],
  );
  if (missing.length > 0) return missing;
  const edits = variants.flatMap(({ value }, index) =>
    pageEditsErrors(value, `/variants/${index}/value`),
  );
  if (edits.length > 0) return edits;
  const types = variants.map(({ value }) => flagTypeOf(value));
  return types.flatMap((type, index) => {
    const pointer = `/variants/${index}/value`;
    if (type === null) {
      return [{ pointer, detail: "A value is a boolean, a string, a number or an object." }];
    }
    return type === types[0]
      ? []
      : [
          {
            pointer,
            detail: `All values have one type; this is a ${type}, the first a ${types[0]}.`,
          },
        ];
  });
}

function checkFlag(body: ExperimentBody, flag: Flag | null): FieldError[] {
  if (flag === null) return [{ pointer: "/flag", detail: `There is no flag ${body.flag ?? ""}.` }];
  const known = new Set(flag.variants.map((variant) => variant.key));
  return body.variants.flatMap(({ key, value }, index) => {
    if (!known.has(key)) {
      return [
        {
          pointer: `/variants/${index}/key`,
          detail: `The flag ${flag.key} has no variant ${key}; it has ${[...known].join(", ")}.`,
        },
      ];
    }
    return value === undefined
      ? []
      : [
          {
            pointer: `/variants/${index}/value`,
            detail: "The values are the flag's; leave value out.",
          },
        ];
  });
}

function checkMetrics({ metrics }: ExperimentBody, known: ReadonlySet<string>): FieldError[] {
  const named = [
    ...metrics.primary.map((key, index) => ({ key, pointer: `/metrics/primary/${index}` })),
    ...metrics.secondary.map((key, index) => ({ key, pointer: `/metrics/secondary/${index}` })),
    ...metrics.guardrail.map(({ metric }, index) => ({
      key: metric,
      pointer: `/metrics/guardrail/${index}/metric`,
    })),
  ];
  return [
    ...named.flatMap(({ key, pointer }) =>
      known.has(key)
        ? []
        : [{ pointer, detail: `There is no metric ${key}; create it with POST /api/v1/metrics.` }],
    ),
    ...duplicates(
      named.map(({ key }) => key),
      (index) => named[index]?.pointer ?? "/metrics",
      "A metric has one role in an experiment",
    ),
  ];
}

function checkPlan({ plan }: ExperimentBody): FieldError[] {
  const errors: FieldError[] = [];
  if (typeof plan.looks === "object" && "fractions" in plan.looks) {
    const { fractions } = plan.looks;
    if (fractions.some((t, index) => index > 0 && t <= (fractions[index - 1] ?? 0))) {
      errors.push({ pointer: "/plan/looks/fractions", detail: "The fractions must increase." });
    }
    if (fractions.at(-1) !== 1) {
      errors.push({ pointer: "/plan/looks/fractions", detail: "The last fraction must be 1." });
    }
  }
  if (plan.maximumSampleSize === undefined && plan.minimumDetectableEffect === undefined) {
    errors.push({
      pointer: "/plan/maximumSampleSize",
      detail:
        "Give maximumSampleSize (units over all variants), or minimumDetectableEffect and baseline to compute it from.",
    });
  } else if (plan.maximumSampleSize === undefined && plan.baseline === undefined) {
    errors.push({
      pointer: "/plan/baseline",
      detail: "minimumDetectableEffect is relative: give the control's expected value as baseline.",
    });
  }
  return errors;
}
