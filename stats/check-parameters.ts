/** Refuses configurations that no method can answer: each check throws a `RangeError` whose message names the parameter. Data are never judged here. */

const say = (value: number): string => String(value);

export function requireProbability(name: string, value: number): void {
  if (!(value > 0 && value < 1))
    throw new RangeError(`${name} must lie strictly between 0 and 1, got ${say(value)}`);
}

export function requirePositive(name: string, value: number): void {
  if (!(value > 0 && value < Infinity))
    throw new RangeError(`${name} must be a positive finite number, got ${say(value)}`);
}

export function requireFinite(name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new RangeError(`${name} must be a finite number, got ${say(value)}`);
}

/** Infinity is an answerable argument; NaN is not. */
export function requireNumber(name: string, value: number): void {
  if (Number.isNaN(value)) throw new RangeError(`${name} must be a number, got NaN`);
}

export function requireSides(sides: number): void {
  if (sides !== 1 && sides !== 2) throw new RangeError(`sides must be 1 or 2, got ${say(sides)}`);
}

/** A count may be zero (an empty variant is data, not a mistake), never negative or fractional. */
export function requireCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${name} must be a non-negative integer, got ${say(value)}`);
}

export function requireSameLength(
  name: string,
  values: readonly unknown[],
  other: string,
  length: number,
): void {
  if (values.length !== length)
    throw new RangeError(
      `${name} must have one entry per entry of ${other}: ${values.length} against ${length}`,
    );
}
