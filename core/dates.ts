/** Dates in conditions: ISO 8601 or epoch milliseconds. Without an offset a time is UTC, never the machine's zone. */

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i;

// oxlint-disable-next-line no-restricted-globals -- parsing asks no clock
const { parse } = Date;

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Epoch milliseconds of an ISO 8601 date or date-time; a number is taken as it is; NaN for anything else. */
export function epochMs(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return Number.NaN;
  const [, year, month, day, time = "00:00", offset = "Z"] = iso.exec(value) ?? [];
  // Date.parse takes 30 February for 2 March.
  if (year === undefined || Number(day) > daysIn(Number(year), Number(month))) return Number.NaN;
  return parse(`${year}-${month}-${day}T${time}${offset.toUpperCase()}`);
}
