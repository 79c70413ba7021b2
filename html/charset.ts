/**
 * Whether a response is a page that can be rewritten, by its headers: HTML, complete, in UTF-8, in an encoding that the runtime decodes.
 * Where the headers leave it open, by its first bytes (page-beginning.ts).
 */

import { isUtf8 } from "./prescan.ts";

const plain = new Set(["", "identity"]);
const decoded = new Set(["gzip", "br"]);

export type NoPage = "not-utf-8" | "content-encoding";
/** "undeclared": its own beginning has to say the character encoding. */
export type PageKind = "page" | "undeclared" | NoPage | "no page";

/** By its headers. */
export function pageKindOf({ status, headers }: Response): PageKind {
  if (status < 200 || status > 299 || [204, 205, 206].includes(status)) return "no page";
  // It is kept as a file, and never shown.
  if (/^\s*attachment\b/i.test(headers.get("content-disposition") ?? "")) return "no page";
  const [type = "", ...parameters] = (headers.get("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== "text/html") return "no page";
  if (!plain.has(encodingOf(headers)) && !decoded.has(encodingOf(headers))) {
    return "content-encoding";
  }
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(parameter)?.[1])
    .find((each) => each !== undefined);
  if (charset === undefined) return "undeclared";
  return isUtf8(charset) ? "page" : "not-utf-8";
}

/** A worker may give a body that it has compressed itself, of which nothing but the bytes tells. */
export function isEncoded({ headers }: Response): boolean {
  return !plain.has(encodingOf(headers));
}

function encodingOf(headers: Headers): string {
  return headers.get("content-encoding")?.trim().toLowerCase() ?? "";
}
