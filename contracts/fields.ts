/** Fields that several bodies share, with messages that say what would be right. */

import * as z from "zod/mini";
import type { Json, JsonObject } from "../core/index.ts";
import { isRecord } from "../core/values.ts";
import { limits } from "./limits.ts";

/** Keys are slugs that people choose. */
export const key = z.string().check(
  z.regex(/^[a-z0-9][a-z0-9_.-]*$/i, {
    error: "A key starts with a letter or digit and has only letters, digits, '_', '-' and '.'.",
  }),
  z.maxLength(limits.keyLength, { error: `A key has at most ${limits.keyLength} characters.` }),
);

export const name = z.string().check(z.minLength(1), z.maxLength(200));
export const text = z.string().check(z.maxLength(5_000));

/** Text that is joined with control characters, hashed or looked up byte by byte somewhere. */
const plainText = z.string().check(
  z.minLength(1),
  z.refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), {
    error: "Use well-formed text without control characters.",
  }),
);

/** An attribute's name: what a unit kind is. No context carries an attribute `__proto__`. */
export const attributeName = plainText.check(
  z.maxLength(limits.kindLength),
  z.refine((value) => value !== "__proto__", { error: "__proto__ cannot be an attribute." }),
);

/** A unit's id, as a context gives it. */
export const unitId = z.string().check(z.minLength(1), z.maxLength(limits.unitLength));

/** 0 to 100 with at most two decimals, so that it is a whole number of basis points. */
export const percent = z.number().check(
  z.minimum(0, { error: "A percentage is from 0 to 100." }),
  z.maximum(100, { error: "A percentage is from 0 to 100." }),
  z.refine((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-9, {
    error: "A percentage has at most two decimals.",
  }),
);

const deepestJson = 20;

/**
 * Taken as it is. Bounded in depth, because those who read it recurse; without `__proto__`, which they would drop,
 * and a condition without one of its parts holds for others than it was written for.
 */
export const json = z.custom<Json>((value) => isPlainJson(value, deepestJson), {
  error: `Use JSON with finite numbers, at most ${deepestJson} levels deep, without members named __proto__.`,
});

export const jsonObject = z.custom<JsonObject>(
  (value) => isRecord(value) && isPlainJson(value, deepestJson),
  {
    error: `Use a JSON object with finite numbers, at most ${deepestJson} levels deep, without members named __proto__.`,
  },
);

export const salt = plainText.check(z.maxLength(200));

/** Why something is done: into the audit log. */
export const reason = z.string().check(z.minLength(1), z.maxLength(1_000));

function isPlainJson(value: unknown, levels: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value !== "object" || levels === 0) return false;
  return Object.entries(value).every(
    ([key, item]) => key !== "__proto__" && isPlainJson(item, levels - 1),
  );
}
