/** A page's body, made ready for the rewriter: known to be text in UTF-8, and cut so that the rewriter can take it. */

import { isEncoded } from "./charset.ts";
import type { NoPage } from "./charset.ts";
import { begin, decompressed, utf8 } from "./page-beginning.ts";
import { asItComes, pageCutter } from "./page-cutter.ts";
import { byteReader, carried } from "./streams.ts";
import type { Told } from "./streams.ts";

interface Input {
  /** Of no page the body is as it came. */
  kind: "page" | NoPage;
  readable: ReadableStream;
}

export async function pageInput(
  { body, response, isDeclared }: { body: ReadableStream; response: Response; isDeclared: boolean },
  told: Told,
): Promise<Input> {
  const reader = byteReader(body);
  if (isDeclared && !isEncoded(response)) {
    return { kind: "page", readable: carried(reader, pageCutter(), told) };
  }
  const { kind, reader: whole } = await begin(reader, isDeclared ? decompressed : utf8);
  return { kind, readable: carried(whole, kind === "page" ? pageCutter() : asItComes, told) };
}
