/**
 * The order of versions: part by part, numbers as numbers and before words (1.0.0-2 < 1.0.0-alpha), a version that
 * goes on after one that ends (1.0 < 1.0.1), except that exactly three parts come after their own pre-releases
 * (1.0.0-rc < 1.0.0). Never fails: what is not a version counts as version 0.
 */

type Version = readonly string[];

const LONGEST_VERSION = 256;

/** Sorts after every word, which is where a release belongs among its pre-releases. */
const RELEASE = "~";

/** The parts of a version, without its build metadata (`+…`) and a leading `v`. */
export function versionOf(value: unknown): Version {
  const text = typeof value === "number" ? String(value) : value;
  const known = typeof text === "string" && text !== "" && text.length <= LONGEST_VERSION;
  const parts = partsOf(known ? text : "0");
  if (parts.length === 3) parts.push(RELEASE);
  return parts;
}

function partsOf(version: string): string[] {
  const build = version.indexOf("+");
  const end = build === -1 ? version.length : build;
  const parts: string[] = [];
  let start = version.startsWith("v") ? 1 : 0;
  for (let i = start; i < end; i++) {
    const character = version[i];
    if (character !== "." && character !== "-") continue;
    parts.push(version.slice(start, i));
    start = i + 1;
  }
  parts.push(version.slice(start, end));
  return parts;
}

/** Negative, zero or positive, as `a` comes before, with or after `b`. */
export function compareVersions(a: Version, b: Version): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const order = compareParts(a[i] ?? "", b[i] ?? "");
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  const isNumber = isDigits(a);
  if (isNumber !== isDigits(b)) return isNumber ? -1 : 1;
  if (isNumber && a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

function isDigits(part: string): boolean {
  for (let i = 0; i < part.length; i++) {
    const code = part.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return part !== "";
}
