/**
 * Cuts a page so that the rewriter gets no tag in pieces. It holds the pieces of a tag that it has to look at, up to 3 MiB, and would end
 * the page with an error beyond that; a tag in one piece may be of any size. Pictures in attributes are that large.
 */

/** What may be passed on of what has come so far, and what is kept; nothing is kept at the end (null). */
export type Cutting = (chunk: Uint8Array | null) => Uint8Array | null;

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
    if (chunk === null) return release(new Uint8Array());
    const end = chunk.lastIndexOf(tagEnd);
    if (end === -1 && heldBytes > 0) {
      if (heldBytes + chunk.byteLength > mostHeldBytes) return release(chunk);
      hold(chunk);
      return null;
    }
    const begin = chunk.indexOf(tagBegin, end + 1);
    if (begin === -1) return release(chunk);
    const whole = release(chunk.subarray(0, begin));
    hold(chunk.subarray(begin));
    return whole;
  };
}
