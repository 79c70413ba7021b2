/** A page's body, made ready for the rewriter: its encoding known, and no tag of it in pieces. */

import { readBeginning } from "./charset.ts";
import { asItComes, byteReader, carried } from "./streams.ts";
import { wholeTags } from "./whole-tags.ts";

/** A shorter page has no tag that is too long for the rewriter in pieces. */
const shortBytes = 2_000_000;

/** Of a page whose headers say that it is UTF-8. `broken` may be called when the page does not pass to its end. */
export function declaredInput(
  body: ReadableStream,
  { headers }: Response,
  broken: () => void,
): ReadableStream {
  const isPlain = !headers.has("content-encoding");
  const isShort = isPlain && Number(headers.get("content-length") ?? Infinity) <= shortBytes;
  return isShort ? body : carried(byteReader(body), [], wholeTags(), broken);
}

/** Of a page whose headers do not say. When it is not UTF-8 either, its body is as it came. */
export async function undeclaredInput(
  body: ReadableStream,
  broken: () => void,
): Promise<{ isUtf8: boolean; readable: ReadableStream }> {
  const reader = byteReader(body);
  const { chunks, isUtf8 } = await readBeginning(reader);
  return { isUtf8, readable: carried(reader, chunks, isUtf8 ? wholeTags() : asItComes, broken) };
}
