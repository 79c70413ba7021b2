/**
 * Cuts a page so that the rewriter can take every piece. It holds the pieces of a tag or comment that it has to look at, up to 3 MiB, and
 * ends the page with an error beyond that; one in one piece may be of any size. Where it could not go on, the rest of the page is said
 * not to be for it. Loses no byte, whatever the page.
 */

import { tagReader } from "./tag-reader.ts";

/** What may be passed on of what has come so far. What is kept comes later; nothing is kept at the end (null). */
export interface Cut {
  pieces: Uint8Array[];
  /** From here on the page is not for the rewriter. */
  rest: Uint8Array | null;
  /** The page has ended in a tag, a script or the like. */
  isOpen: boolean;
}

export type Cutting = (chunk: Uint8Array | null) => Cut;

/** Nothing is kept. */
export const asItComes: Cutting = (chunk) => ({
  pieces: chunk === null ? [] : [chunk],
  rest: null,
  isOpen: false,
});

/** Of a tag or a comment; pictures in attributes are that large. */
const mostHeldBytes = 16_000_000;

export function pageCutter(): Cutting {
  const reader = tagReader();
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isInTag = false;

  const hold = (piece: Uint8Array) => {
    // The reader goes on to use the buffer that it was in.
    held.push(piece.slice());
    heldBytes += piece.byteLength;
  };
  /** All that is held and `last`, in one piece. */
  const release = (last: Uint8Array): Uint8Array => {
    if (heldBytes === 0) return last;
    const whole = new Uint8Array(heldBytes + last.byteLength);
    let at = 0;
    for (const piece of [...held, last]) {
      whole.set(piece, at);
      at += piece.byteLength;
    }
    held = [];
    heldBytes = 0;
    return whole;
  };

  return (chunk) => {
    if (chunk === null) {
      const isOpen = isInTag || reader.isInText();
      return { pieces: [release(new Uint8Array())], rest: null, isOpen };
    }
    const pieces: Uint8Array[] = [];
    /** Where that begins which has not been passed on, and in it the last tag: both at 0 while something is held. */
    let begin = 0;
    let tagBegin = 0;
    let at = 0;
    while (at < chunk.length) {
      if (!isInTag) {
        at = reader.open(chunk, at);
        if (at === -1) break;
        isInTag = true;
        tagBegin = at - 1;
      }
      const read = reader.read(chunk, at);
      if (read.outcome === "refused") {
        pieces.push(chunk.subarray(begin, tagBegin));
        return { pieces, rest: release(chunk.subarray(tagBegin)), isOpen: false };
      }
      ({ at } = read);
      isInTag = read.outcome === null;
      // Only the tag is copied, not the chunk in which it ends.
      if (!isInTag && heldBytes > 0) {
        pieces.push(release(chunk.subarray(0, at)));
        begin = at;
      }
    }
    if (!isInTag) pieces.push(chunk.subarray(begin));
    else if (heldBytes + chunk.length - tagBegin > mostHeldBytes) {
      pieces.push(chunk.subarray(begin, tagBegin));
      return { pieces, rest: release(chunk.subarray(tagBegin)), isOpen: false };
    } else {
      pieces.push(chunk.subarray(begin, tagBegin));
      hold(chunk.subarray(tagBegin));
    }
    return { pieces, rest: null, isOpen: false };
  };
}
