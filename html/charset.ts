/**
 * Whether a response is a page that can be rewritten: HTML, complete, in UTF-8, in an encoding that the runtime decodes. A page that
 * says its character encoding only in its first kilobyte is read that far (HTML Standard, 13.2.3.2), and no further.
 */

import type { ByteReader } from "./streams.ts";

const sniffedBytes = 1_024;
const decoded = new Set(["", "identity", "gzip", "br"]);

export type PageKind = "page" | "undeclared" | "not-utf-8" | "content-encoding" | "no page";

/** By its headers. */
export function pageKindOf({ status, headers }: Response): PageKind {
  if (status < 200 || status > 299 || [204, 205, 206].includes(status)) return "no page";
  const [type = "", ...parameters] = (headers.get("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== "text/html") return "no page";
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (!decoded.has(encoding)) return "content-encoding";
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(parameter)?.[1])
    .find((each) => each !== undefined);
  if (charset === undefined) return "undeclared";
  return isUtf8(charset) ? "page" : "not-utf-8";
}

/** The labels of the Encoding Standard; us-ascii is one of windows-1252. */
function isUtf8(label: string): boolean {
  return /^(?:unicode-1-1-utf-8|utf-?8|unicode11utf8|(?:x-)?unicode20utf8)$/i.test(label);
}

interface Beginning {
  chunks: Uint8Array[];
  isUtf8: boolean;
}

/** Reads until the page has said its encoding, or has not within its first kilobyte. */
export async function readBeginning(reader: ByteReader): Promise<Beginning> {
  const chunks: Uint8Array[] = [];
  let text = "";
  for (;;) {
    const chunk = await reader.read();
    if (chunk !== null) {
      chunks.push(chunk.slice());
      // Byte by byte: what is looked for is ASCII.
      text += String.fromCharCode(...chunk.subarray(0, sniffedBytes - text.length));
    }
    const said = declaredIn(text);
    if (said !== null) return { chunks, isUtf8: said };
    if (chunk === null || text.length >= sniffedBytes) return { chunks, isUtf8: false };
  }
}

/** Marks of UTF-16, and of a page that is compressed already. */
const otherBeginnings = ["\u00fe\u00ff", "\u00ff\u00fe", "\u001f\u008b"];

/** Null: not said yet. */
function declaredIn(beginning: string): boolean | null {
  if (beginning.startsWith("\u00ef\u00bb\u00bf")) return true;
  if (otherBeginnings.some((bytes) => beginning.startsWith(bytes))) return false;
  const visible = beginning.replaceAll(/<!--[\s\S]*?-->/g, "");
  const [, charset] =
    /<meta[\s/][^>]*?charset\s*=\s*["']?\s*([^\s"'/>;]+)[^>]*>/i.exec(visible) ?? [];
  return charset === undefined ? null : isUtf8(charset);
}
