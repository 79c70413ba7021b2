/** The body of an experiment, as people write it (`POST /api/v1/experiments`) and as CONTROL keeps it. */

import * as z from "zod/mini";
import { originDimensions } from "../counting/dimensions.ts";
import {
  attributeName,
  json,
  jsonObject,
  key,
  name,
  percent,
  reason,
  salt,
  text,
} from "./fields.ts";
import { schedule } from "./schedule.ts";

/** They are told of every exposure: see counting/dimensions.ts and analysis/balance.ts. */
const reservedDimensions = new Set<string>([...originDimensions, "day"]);

const share = z.number().check(z.gt(0), z.lt(1));

const spendingCurves = [
  z.literal("obrien-fleming"),
  z.literal("pocock"),
  z.strictObject({ family: z.literal("hwang-shih-decani"), gamma: z.number() }),
  z.strictObject({ family: z.literal("kim-demets"), rho: z.number().check(z.positive()) }),
] as const;

const curveNames =
  "obrien-fleming, pocock, {family: hwang-shih-decani, gamma} or {family: kim-demets, rho}";

const spendingCurve = z.union(spendingCurves, { error: `Use ${curveNames}.` });

export const spending = z.union([...spendingCurves, z.literal("haybittle-peto")], {
  error: `Use haybittle-peto, ${curveNames}.`,
});

const looks = z.union(
  [
    z.int().check(z.minimum(1), z.maximum(100)),
    z.strictObject({
      fractions: z
        .array(z.number().check(z.gt(0), z.maximum(1)))
        .check(z.minLength(1), z.maxLength(100)),
    }),
    z.strictObject({
      every: z.enum(["day", "week"]),
      count: z.int().check(z.minimum(1), z.maximum(100)),
    }),
  ],
  {
    error:
      "Give a number of looks from 1 to 100, {fractions: [0.2, …, 1]} or {every: day|week, count}.",
  },
);

export const futility = z.union(
  [z.literal("none"), z.strictObject({ beta: share, spending: spendingCurve })],
  {
    error: "Use none or {beta, spending}.",
  },
);

const plan = z.strictObject({
  alpha: z._default(share, 0.05),
  power: z._default(share, 0.8),
  sides: z._default(z.union([z.literal(1), z.literal(2)]), 2),
  spending: z._default(spending, "obrien-fleming"),
  futility: z._default(futility, "none"),
  /** By what looks decide: the figures as they are, or adjusted by every primary metric's covariate. */
  adjustment: z._default(z.enum(["none", "cuped"]), "none"),
  /** Relative. */
  minimumDetectableEffect: z.exactOptional(z.number().check(z.positive())),
  baseline: z.exactOptional(z.number()),
  standardDeviation: z.exactOptional(z.number().check(z.positive())),
  /** Units over all variants. */
  maximumSampleSize: z.exactOptional(z.int().check(z.minimum(2))),
  looks: z._default(looks, 5),
});

export const experimentBody = z.strictObject({
  key,
  name: z.exactOptional(name),
  hypothesis: z.exactOptional(text),
  /** The flag that it is a rule of; without it a flag of the same key is made. */
  flag: z.exactOptional(key),
  unit: z._default(attributeName, "targetingKey"),
  traffic: z._default(percent, 100),
  salt: z.exactOptional(salt),
  layer: z.exactOptional(key),
  targeting: z.exactOptional(jsonObject),
  variants: z
    .array(
      z.strictObject({
        key,
        weight: percent.check(
          z.positive({ error: "A variant that nobody gets is none: leave it out." }),
        ),
        value: z.exactOptional(json),
        isControl: z._default(z.boolean(), false),
      }),
    )
    .check(
      z.minLength(2, { error: "An experiment has at least two variants." }),
      z.maxLength(20, { error: "An experiment has at most 20 variants." }),
    ),
  metrics: z.strictObject({
    primary: z.array(key).check(z.minLength(1, { error: "Name at least one primary metric." })),
    secondary: z._default(z.array(key), []),
    guardrail: z._default(
      z.array(
        z.strictObject({
          metric: key,
          maxRelativeHarm: z._default(z.number().check(z.nonnegative()), 0),
        }),
      ),
      [],
    ),
  }),
  /** Attributes of the first exposure by which results are broken down. */
  dimensions: z._default(
    z
      .array(
        attributeName.check(
          z.refine((name) => !reservedDimensions.has(name), {
            error:
              "source, sdk and day are told without being asked for: give the attribute another name.",
          }),
        ),
      )
      .check(z.maxLength(10)),
    ["country", "device", "platform"],
  ),
  plan: z.prefault(plan, {}),
  schedule: z.exactOptional(schedule),
});

export type ExperimentBody = z.output<typeof experimentBody>;
export type PlanBody = ExperimentBody["plan"];

/** The body of a lifecycle call. */
export const lifecycleBody = z.strictObject({ reason: z.exactOptional(reason) });

/** The body of `POST …/metrics`. */
export const addedMetricBody = z.strictObject({ metric: key, reason });

/** The body of `POST …/ramp`. */
export const rampBody = z.strictObject({ traffic: percent, reason: z.exactOptional(reason) });
