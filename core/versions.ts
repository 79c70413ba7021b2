/**
 * Versions as strings that sort: numeric parts are padded so that 9 < 10, and a version of exactly three parts sorts
 * after its pre-releases (1.0.0-rc < 1.0.0). Never fails: what is not a version counts as version 0.
 */

/** Wider than any number in a version: GrowthBook pads to 5, with which every order up to 99999 is the same. */
const NUMBER_WIDTH = 20;
const LONGEST_VERSION = 256;

const numeric = /^[0-9]+$/;

/** A string that compares, by code units, as the version does. Build metadata (`+…`) and a leading `v` do not count. */
export function versionOrder(version: unknown): string {
  const text = typeof version === "number" ? String(version) : version;
  const known = typeof text === "string" && text !== "" && text.length <= LONGEST_VERSION;
  const parts = (known ? text : "0").replace(/^v|\+.*$/gs, "").split(/[-.]/);
  if (parts.length === 3) parts.push("~");
  return parts.map((part) => (numeric.test(part) ? part.padStart(NUMBER_WIDTH) : part)).join("-");
}
