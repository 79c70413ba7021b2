/** Reads request bodies: bounded in bytes before and after inflation, then JSON, then a schema whose findings name the field. */

import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { ok, refuse, refuseFields } from "../contracts/problem.ts";
import type { FieldError, Result } from "../contracts/problem.ts";

z.config(en());

export async function readJson<T>(
  request: Request,
  schema: z.ZodMiniType<T>,
  limitBytes: number,
): Promise<Result<T>> {
  const text = await readText(request, limitBytes);
  if (!text.ok) return text;
  const json = parseJson(text.value);
  return json.ok ? check(json.value, schema) : json;
}

/** The body as text; gzip is inflated, and `limitBytes` holds for the inflated size too. */
export async function readText(request: Request, limitBytes: number): Promise<Result<string>> {
  const tooLarge = () =>
    refuse("body-too-large", `The body is larger than ${limitBytes} bytes; send less at once.`);
  if (Number(request.headers.get("content-length") ?? 0) > limitBytes) return tooLarge();
  if (request.body === null) return ok("");
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    return refuse("unsupported-encoding", `content-encoding ${encoding}: use gzip or none.`);
  }
  const stream =
    encoding === "gzip" ? request.body.pipeThrough(new DecompressionStream("gzip")) : request.body;
  const reader = stream.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const chunk: { value?: unknown } = await reader.read();
      const { value } = chunk;
      if (!(value instanceof Uint8Array)) return ok(text + decoder.decode());
      bytes += value.byteLength;
      if (bytes > limitBytes) {
        await reader.cancel();
        return tooLarge();
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return refuse("malformed-json", "The body could not be read as UTF-8 text.");
  }
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
