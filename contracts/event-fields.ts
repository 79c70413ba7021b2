/**
 * Reads the fields of one event from untrusted JSON, remembering the first thing that is wrong with it.
 * Written by hand because it runs a thousand times a request; it never throws, and what it returns after a problem means nothing.
 */

import { isRecord } from "../core/values.ts";
import type { Json } from "../core/index.ts";
import { utf8Length } from "../counting/utf8.ts";
import { limits } from "./limits.ts";
import { isSdkName } from "./sdk-name.ts";

/** How deeply attributes and properties may be nested. */
export const attributesDepth = 8;

const instant =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T[0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const controlCharacter = /\p{Cc}/u;

/** Epoch milliseconds of an ISO-8601 instant with its offset; null when it is none. */
export function parseInstant(text: unknown): number | null {
  if (typeof text !== "string" || !instant.test(text)) return null;
  const usualMs = usualInstant(text);
  if (usualMs !== null) return usualMs;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) || !isDay(text) ? null : timeMs;
}

/** Of an instant as most clients write it, 2026-01-14T09:30:00.000Z, at a quarter of the cost; null for what has to be looked at more closely. */
function usualInstant(text: string): number | null {
  if (text.length !== 24 || !text.endsWith("Z")) return null;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  // Other days may not be in their month, hour 24 is for midnight alone, and early years are taken for those after 1900.
  if (day > 28 || hour > 23 || year < 100) return null;
  const [minute, second] = [twoDigits(text, 14), twoDigits(text, 17)];
  const millisecond = twoDigits(text, 20) * 10 + (text.charCodeAt(22) - zero);
  return Date.UTC(year, twoDigits(text, 5) - 1, day, hour, minute, second, millisecond);
}

const zero = 48;

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero;
}

/** `Date.parse` takes the 30th of February for a day in March. */
function isDay(text: string): boolean {
  const day = Number(text.slice(8, 10));
  if (day <= 28) return true;
  const daysInMonth = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0));
  return day <= daysInMonth.getUTCDate();
}

export class EventFields {
  readonly #event: { readonly [field: string]: unknown };
  #problem: string | null = null;

  constructor(event: { readonly [field: string]: unknown }, known: ReadonlySet<string>) {
    this.#event = event;
    // Own members alone: it was parsed as JSON, whose objects inherit none that are enumerable.
    for (const field in event) {
      if (!known.has(field)) this.wrong(field, "is unknown: remove it");
    }
  }

  /** The first one, naming the field and what would be right. */
  get problem(): string | null {
    return this.#problem;
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#event, field);
  }

  text(field: string, maxLength: number): string {
    const text = this.#own(field);
    if (typeof text === "string" && text !== "" && text.length <= maxLength && text.isWellFormed())
      return text;
    this.wrong(field, `must be well-formed text of 1 to ${maxLength} characters`);
    return "";
  }

  instantMs(field: string): number {
    const timeMs = parseInstant(this.#own(field));
    if (timeMs === null) {
      this.wrong(field, "must be an ISO-8601 instant such as 2026-01-14T09:30:00.000Z");
    }
    return timeMs ?? 0;
  }

  /** From 1. */
  count(field: string): number {
    const count = this.#own(field);
    if (typeof count === "number" && Number.isSafeInteger(count) && count >= 1) return count;
    this.wrong(field, "must be a whole number from 1");
    return 1;
  }

  value(field: string): number {
    const value = this.#own(field);
    const most = limits.outcomeValue;
    if (typeof value === "number" && Math.abs(value) <= most) return value;
    this.wrong(field, `must be a number between -${most} and ${most}`);
    return 0;
  }

  attributes(field: string): { [name: string]: Json } {
    const attributes = this.#own(field);
    if (!isRecord(attributes) || !isShallow(attributes, attributesDepth)) {
      this.wrong(
        field,
        `must be an object of well-formed JSON, at most ${attributesDepth} levels deep`,
      );
      return {};
    }
    if (utf8Length(JSON.stringify(attributes)) > limits.eventAttributesBytes) {
      this.wrong(field, `must take at most ${limits.eventAttributesBytes} bytes as JSON`);
    }
    return attributes;
  }

  sdk(field: string): string {
    const name = this.#own(field);
    if (typeof name === "string" && isSdkName(name)) return name;
    this.wrong(
      field,
      `must be 1 to ${limits.sdkLength} printable ASCII characters without spaces, such as shop-app/2.1`,
    );
    return "";
  }

  unit(field: string): string {
    return this.#unit(field, this.#own(field));
  }

  /** Kind and unit id, of each. */
  units(field: string): [kind: string, unit: string][] {
    const units = this.#own(field);
    if (!isRecord(units) || Object.keys(units).length === 0) {
      this.wrong(field, "must be an object of unit ids by kind, at least one");
      return [];
    }
    return Object.entries(units).map(([kind, unit]) => {
      if (kind === "" || kind.length > limits.kindLength || !isPlain(kind)) {
        this.wrong(field, `must name kinds of 1 to ${limits.kindLength} plain characters`);
      }
      return [kind, this.#unit(`${field}/${kind}`, unit)];
    });
  }

  /** Finite numbers are units too. */
  #unit(field: string, unit: unknown): string {
    if (typeof unit === "number" && Number.isFinite(unit)) return String(unit);
    const { unitLength } = limits;
    const isId = typeof unit === "string" && unit !== "" && unit.length <= unitLength;
    if (isId && unit.isWellFormed()) return unit;
    this.wrong(
      field,
      `must be well-formed text of 1 to ${unitLength} characters, or a finite number`,
    );
    return "";
  }

  #own(field: string): unknown {
    return Object.hasOwn(this.#event, field) ? this.#event[field] : undefined;
  }

  wrong(field: string, what: string): void {
    this.#problem ??= `${field} ${what}.`;
  }
}

function isPlain(text: string): boolean {
  return text.isWellFormed() && !controlCharacter.test(text);
}

/** JSON that is no deeper than `depth` and has no ill-formed text; what parsed as JSON can be nothing else. */
export function isShallow(value: unknown, depth: number): value is { [name: string]: Json } {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((each) => isShallow(each, depth - 1));
  // Own members alone: it was parsed as JSON, whose objects inherit none that are enumerable.
  for (const name in value) {
    if (!name.isWellFormed() || !isShallow(Reflect.get(value, name), depth - 1)) return false;
  }
  return true;
}
