/** A page's body, made ready for the rewriter: known to be text in UTF-8, and cut so that the rewriter can take it. */

import { isEncoded } from "./charset.ts";
import type { NoPage } from "./charset.ts";
import { begin, decompressed, utf8 } from "./page-beginning.ts";
import { asItComes, pageCutter } from "./page-cutter.ts";
import { byteReader, carried } from "./streams.ts";
import type { Carried, Told } from "./streams.ts";

interface Input extends Carried {
  /** Of no page the body is as it came. */
  kind: "page" | NoPage;
}

export async function pageInput(
  { body, response, isDeclared }: { body: ReadableStream; response: Response; isDeclared: boolean },
  told: Told,
): Promise<Input> {
  const reader = byteReader(body);
  if (isDeclared && !isEncoded(response)) {
    return { kind: "page", ...carried(reader, pageCutter(), told) };
  }
  const { kind, reader: whole } = await begin(reader, isDeclared ? decompressed : utf8);
  return { kind, ...carried(whole, kind === "page" ? pageCutter() : asItComes, told) };
}
