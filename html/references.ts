/**
 * Text of a page as a browser reads it: without its character references. Knows those by number and the names below; what other names
 * stand for is not known.
 */

const names: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "amp;": "&",
    amp: "&",
    "apos;": "'",
    "colon;": ":",
    "comma;": ",",
    "equals;": "=",
    "gt;": ">",
    gt: ">",
    "lt;": "<",
    lt: "<",
    "nbsp;": "\u00a0",
    nbsp: "\u00a0",
    "NewLine;": "\n",
    "period;": ".",
    "quot;": '"',
    quot: '"',
    "semi;": ";",
    "sol;": "/",
    "Tab;": "\t",
  }),
);

export interface Read {
  /** References that are not known are in it as they are written. */
  text: string;
  isKnown: boolean;
}

export function readReferences(text: string): Read {
  let isKnown = true;
  const read = text.replaceAll(
    /&(?:#(\d+);?|#x([\da-f]+);?|([a-z][a-z\d]*;?))/gi,
    (reference, decimal?: string, hexadecimal?: string, name?: string) => {
      const known = name === undefined ? characterOf(decimal, hexadecimal) : names.get(name);
      if (known === undefined) isKnown = false;
      return known ?? reference;
    },
  );
  return { text: read, isKnown };
}

/** Null: not known. */
export function withoutReferences(text: string): string | null {
  if (!text.includes("&")) return text;
  const read = readReferences(text);
  return read.isKnown ? read.text : null;
}

function characterOf(decimal: string | undefined, hexadecimal = ""): string | undefined {
  const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
  // Some mean another character (HTML Standard, 13.2.5.80).
  const isAnother =
    code === 0 || (code >= 0x80 && code < 0xa0) || (code >= 0xd800 && code < 0xe000);
  return isAnother || code > 0x10_ffff ? undefined : String.fromCodePoint(code);
}
