/**
 * Reads no more of a page than it takes to know what it is: its first kilobyte where it has to say its character encoding, its first
 * bytes where they may be compressed. What was read comes first in what is given back, and an origin that breaks off meanwhile breaks off
 * there.
 */

import type { NoPage } from "./charset.ts";
import { prescannedBytes, saysUtf8 } from "./prescan.ts";
import { replayed } from "./streams.ts";
import type { ByteReader } from "./streams.ts";

/** Null: not known yet. */
type Judge = (bytes: string, isAll: boolean) => "page" | NoPage | null;

interface Begun {
  kind: "page" | NoPage;
  /** From the page's first byte on. */
  reader: ByteReader;
}

/** Of a page that says UTF-8 in its headers, and that it is compressed. */
export const decompressed: Judge = (bytes, isAll) => {
  if (bytes === "" && !isAll) return null;
  return isCompressed(bytes) ? "content-encoding" : "page";
};

/** Of a page whose headers do not say its character encoding. */
export const utf8: Judge = (bytes, isAll) => {
  const said = saysUtf8(bytes);
  if (said !== null) return said ? "page" : "not-utf-8";
  return isAll ? "not-utf-8" : null;
};

export async function begin(reader: ByteReader, judge: Judge): Promise<Begun> {
  const chunks: Uint8Array[] = [];
  let bytes = "";
  for (;;) {
    let chunk: Uint8Array | null;
    try {
      chunk = await reader.read();
    } catch (error) {
      return { kind: "not-utf-8", reader: replayed(chunks, failing(reader, error)) };
    }
    if (chunk !== null) {
      chunks.push(chunk.slice());
      bytes += String.fromCharCode(...chunk.subarray(0, prescannedBytes - bytes.length));
    }
    const isAll = chunk === null || bytes.length >= prescannedBytes;
    const kind = judge(bytes, isAll);
    if (kind !== null) return { kind, reader: replayed(chunks, reader) };
  }
}

/** Control characters are in no page, and in the first bytes of anything that is compressed. */
function isCompressed(bytes: string): boolean {
  const isBegunByte = /^[\u0080-\u00c1\u00f8-\u00ff]/.test(bytes);
  // oxlint-disable-next-line no-control-regex
  return isBegunByte || /[\0-\u0008\u000b\u000e-\u001f]/.test(bytes.slice(0, 256));
}

function failing(reader: ByteReader, error: unknown): ByteReader {
  return { ...reader, read: async () => await Promise.reject(error) };
}
