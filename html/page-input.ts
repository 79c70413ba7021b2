/** A page's body, made ready for the rewriter: its encoding known, and no tag in it that the rewriter could not hold. */

import type { Later } from "../contracts/api-key.ts";
import { readBeginning } from "./charset.ts";
import type { Notes } from "./notes.ts";
import { byteReader, followed, guarded } from "./streams.ts";
import type { Input } from "./streams.ts";

/** A shorter page has no tag that is too long for the rewriter. */
const shortBytes = 2_000_000;

/** Of a page whose headers say that it is UTF-8. */
export function declaredInput(
  body: ReadableStream,
  { headers, url }: Response,
  later: Later,
  notes: Notes,
): Input {
  const isShort = Number(headers.get("content-length") ?? Infinity) <= shortBytes;
  return isShort
    ? { readable: body, rest: () => null }
    : guarded(byteReader(body), [], later, () => notes.note("tag-too-long", url));
}

/** Of a page whose headers do not say. When it is not UTF-8 either, its body as it came. */
export async function undeclaredInput(
  body: ReadableStream,
  { url }: Response,
  later: Later,
  notes: Notes,
): Promise<Input | ReadableStream> {
  const reader = byteReader(body);
  const { chunks, isUtf8 } = await readBeginning(reader);
  const input = guarded(reader, chunks, later, () => {
    if (isUtf8) notes.note("tag-too-long", url);
  });
  if (isUtf8) return input;
  const { readable, done } = followed(input.readable, input.rest, () => {});
  later(done);
  return readable;
}
