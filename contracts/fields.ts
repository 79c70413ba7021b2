/** Fields that several bodies share, with messages that say what would be right. */

import * as z from "zod/mini";
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

/** An attribute's name: what a unit kind is. */
export const attributeName = z.string().check(z.minLength(1), z.maxLength(limits.kindLength));

/** 0 to 100 with at most two decimals, so that it is a whole number of basis points. */
export const percent = z.number().check(
  z.minimum(0, { error: "A percentage is from 0 to 100." }),
  z.maximum(100, { error: "A percentage is from 0 to 100." }),
  z.refine((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-9, {
    error: "A percentage has at most two decimals.",
  }),
);

export const condition = z.record(z.string(), z.json());

export const salt = z.string().check(z.minLength(1), z.maxLength(200));
