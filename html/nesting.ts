/**
 * How deep elements are nested, as the rewriter counts them: without knowing of end tags that a page leaves out, so that of a list of
 * `<li>` each is in the one before. It holds so many and ends the page with an error beyond.
 */

/** The rewriter's 3 MiB hold 16,384; one is kept for the mark of the rest. */
const deepest = 16_000;
const seed = 0x811c9dc5;
const prime = 0x01000193;

/** A tag's name as a number (FNV-1a), letter by letter, whatever its case; of no letter yet it is 0. */
export function namedBy(hash: number, byte: number): number {
  return Math.imul((hash === 0 ? seed : hash) ^ (byte | 0x20), prime);
}

export interface Nesting {
  /** False: it is one too many. */
  begin(name: number): boolean;
  end(name: number): void;
}

/** Elements that never hold anything, to the rewriter. */
const voids = new Set(
  "area base basefont bgsound br col embed hr img input keygen link meta param source track wbr"
    .split(" ")
    .map((name) => new TextEncoder().encode(name).reduce(namedBy, 0)),
);

/** Most names are told from those by their last bits, at less than a look into the set. */
const lastBits = 0xff;
const mayBeVoid = new Uint8Array(lastBits + 1);
for (const name of voids) mayBeVoid[name & lastBits] = 1;

export function nesting(): Nesting {
  const open: number[] = [];
  return {
    begin(name) {
      if (mayBeVoid[name & lastBits] === 0 || !voids.has(name)) open.push(name);
      return open.length <= deepest;
    },
    end(name) {
      if (open.at(-1) === name) open.pop();
      else {
        const at = open.lastIndexOf(name);
        if (at !== -1) open.length = at;
      }
    },
  };
}
