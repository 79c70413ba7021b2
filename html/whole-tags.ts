/**
 * Cuts a page so that the rewriter gets no tag in pieces. It holds the pieces of a tag that it has to look at, up to 3 MiB, and would end
 * the page with an error beyond that; a tag in one piece may be of any size. Pictures in attributes are that large.
 */

/** What may be passed on of what has come so far, and what is kept; nothing is kept at the end (null). */
export type Cutting = (chunk: Uint8Array | null) => Uint8Array[];

const tagBegin = 0x3c;
const tagEnd = 0x3e;
/** Of a tag, or of what might be one: text with "<" and no ">" after it. Beyond that it is passed on in pieces. */
const mostHeldBytes = 16_000_000;

export function wholeTags(): Cutting {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const hold = (piece: Uint8Array) => {
    // The reader goes on to use the buffer that it was in.
    held.push(piece.slice());
    heldBytes += piece.byteLength;
  };
  /** All that is held and `last`, in one piece. */
  const release = (last: Uint8Array): Uint8Array => {
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
  /** Where nothing is held: `chunk` up to a tag that does not end in it. */
  const cut = (chunk: Uint8Array): Uint8Array => {
    const begin = chunk.indexOf(tagBegin, chunk.lastIndexOf(tagEnd) + 1);
    if (begin === -1) return chunk;
    hold(chunk.subarray(begin));
    return chunk.subarray(0, begin);
  };
  return (chunk) => {
    if (chunk === null) return [release(new Uint8Array())];
    if (heldBytes === 0) return [cut(chunk)];
    const end = chunk.indexOf(tagEnd);
    // Only the tag is copied, not the chunk in which it ends.
    if (end !== -1) return [release(chunk.subarray(0, end + 1)), cut(chunk.subarray(end + 1))];
    if (heldBytes + chunk.byteLength > mostHeldBytes) return [release(chunk)];
    hold(chunk);
    return [];
  };
}
