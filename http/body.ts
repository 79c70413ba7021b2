/** Reads request bodies: bounded in bytes before and after inflation, then JSON, then a schema whose findings name the field. */

import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { ok, refuse, refuseFields } from "../contracts/problem.ts";
import type { FieldError, Refusal, Result } from "../contracts/problem.ts";

z.config(en());

const notUtf8 = refuse("malformed-json", "The body could not be read as UTF-8 text.");
const notGzip = refuse(
  "malformed-json",
  "The body could not be inflated to UTF-8 text; it says that it is gzip.",
);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** `quickly` may read what the schema accepts at less than its cost; what it answers null for, the schema judges. */
export async function readJson<T>(
  request: Request,
  schema: z.ZodMiniType<T>,
  limitBytes: number,
  quickly?: (json: unknown) => T | null,
): Promise<Result<T>> {
  const text = await readText(request, limitBytes);
  if (!text.ok) return text;
  const json = parseJson(text.value);
  if (!json.ok) return json;
  const read = quickly?.(json.value) ?? null;
  return read === null ? check(json.value, schema) : ok(read);
}

/** The body as text; gzip is inflated, and `limitBytes` holds for the inflated size too. */
export async function readText(request: Request, limitBytes: number): Promise<Result<string>> {
  const declaredBytes = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declaredBytes > limitBytes) return tooLarge(limitBytes);
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    return refuse("unsupported-encoding", `content-encoding ${encoding}: use gzip or none.`);
  }
  try {
    // A stream costs several evaluations, and to ask for `body` is to make one; a declared length needs none.
    if (encoding === "identity" && declaredBytes <= limitBytes) {
      const text = await request.text();
      return isIntact(text, declaredBytes) ? ok(text) : notUtf8;
    }
    if (request.body === null) return ok("");
    const stream = encoding === "gzip" ? inflated(request.body) : request.body;
    const bytes = await readBounded(stream, limitBytes);
    return bytes === null ? tooLarge(limitBytes) : ok(utf8.decode(bytes));
  } catch {
    return encoding === "gzip" ? notGzip : notUtf8;
  }
}

/**
 * Bytes that are not UTF-8 become U+FFFD, which takes three, and so change the length, unless three bytes were wrong.
 * A byte order mark is left out of the text.
 */
function isIntact(text: string, declaredBytes: number): boolean {
  if (!text.includes("\ufffd")) return true;
  const bytes = new TextEncoder().encode(text).byteLength;
  return bytes === declaredBytes || bytes + 3 === declaredBytes;
}

/** Null as soon as there are more than `limitBytes`. */
async function readBounded(stream: ReadableStream, limitBytes: number): Promise<Uint8Array | null> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk: { value?: unknown } = await reader.read();
    const { value } = chunk;
    if (!(value instanceof Uint8Array)) return joined(chunks, length);
    length += value.byteLength;
    if (length > limitBytes) {
      await reader.cancel();
      return null;
    }
    chunks.push(value);
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function inflated(stream: ReadableStream): ReadableStream {
  return stream.pipeThrough(new DecompressionStream("gzip"));
}

function tooLarge(limitBytes: number): Refusal {
  return refuse(
    "body-too-large",
    `The body is larger than ${limitBytes} bytes; send less at once.`,
  );
}

export function parseJson(text: string): Result<unknown> {
  if (text === "") return refuse("malformed-json", "The body is empty; send a JSON object.");
  try {
    const value: unknown = JSON.parse(text);
    return ok(value);
  } catch (error) {
    return refuse("malformed-json", error instanceof Error ? error.message : "not JSON");
  }
}

export function check<T>(value: unknown, schema: z.ZodMiniType<T>): Result<T> {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return ok(parsed.data);
  return refuseFields(parsed.error.issues.flatMap(fieldErrors));
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const at = pointer(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: `${at}/${escape(key)}`,
      detail: "Unknown field: remove it.",
    }));
  }
  return [{ pointer: at, detail: issue.message }];
}

/** RFC 6901. */
function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${escape(String(part))}`).join("");
}

function escape(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}
