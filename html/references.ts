/**
 * Text of a page as a browser reads it: without its character references. Knows those by number and the names below; text with another
 * name in it is not known.
 */

const names: Record<string, string> = {
  amp: "&",
  apos: "'",
  colon: ":",
  comma: ",",
  equals: "=",
  gt: ">",
  hyphen: "\u2010",
  lt: "<",
  nbsp: "\u00a0",
  newline: "\n",
  period: ".",
  quot: '"',
  semi: ";",
  sol: "/",
  tab: "\t",
};

/** Null: not known. */
export function withoutReferences(text: string): string | null {
  if (!text.includes("&")) return text;
  let isKnown = true;
  const read = text.replaceAll(
    /&(?:#(\d{1,7});?|#x([\da-f]{1,6});?|([a-z][a-z\d]*)(;?))/gi,
    (_reference, decimal?: string, hexadecimal?: string, name?: string, end?: string) => {
      const known = name === undefined ? null : names[end === ";" ? name.toLowerCase() : ""];
      if (known === undefined) isKnown = false;
      if (known !== null) return known ?? "";
      const code = decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number(decimal);
      // Those of windows-1252, among others, mean another character.
      if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code > 0x10_ffff) isKnown = false;
      return isKnown ? String.fromCodePoint(code) : "";
    },
  );
  return isKnown ? read : null;
}
