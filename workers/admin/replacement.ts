/** Reads what replaces a definition: what a GET answered may be changed and sent back, with the version that it was read at. */

import type { Context } from "hono";
import * as z from "zod/mini";
import { ok, refuse, refuseFields } from "../../contracts/problem.ts";
import type { Result } from "../../contracts/problem.ts";
import { check, readJson } from "../../http/body.ts";
import type { AdminEnv } from "./app.ts";

export interface Replacement<Body> {
  body: Body;
  /** The versions that it may replace; null for any. */
  expected: number[] | null;
}

interface Replaceable<Body> {
  schema: z.ZodMiniType<Body>;
  /** Members of answers that no body has. */
  derived: readonly string[];
  limitBytes: number;
}

const alwaysDerived = ["id", "createdAt", "updatedAt", "warnings"];
const entityTag = /^(?:W\/)?"(\d{1,15})"$/;
const envelope = z.looseObject({
  key: z.exactOptional(z.string()),
  version: z.exactOptional(z.int()),
});

export async function readReplacement<Body>(
  c: Context<AdminEnv>,
  key: string,
  { schema, derived, limitBytes }: Replaceable<Body>,
): Promise<Result<Replacement<Body>>> {
  const read = await readJson(c.req.raw, envelope, limitBytes);
  if (!read.ok) return read;
  const { version, ...given } = read.value;
  if (given.key !== undefined && given.key !== key) {
    return refuseFields([{ pointer: "/key", detail: `This is ${key}, and keys never change.` }]);
  }
  const unknown = new Set([...alwaysDerived, ...derived]);
  const authored = Object.entries(given).filter(([field]) => !unknown.has(field));
  const body = check({ ...Object.fromEntries(authored), key }, schema);
  if (!body.ok) return body;
  const expected = expectedVersions(c);
  if (!expected.ok) return expected;
  if (version === undefined) return ok({ body: body.value, expected: expected.value });
  return expected.value === null || expected.value.includes(version)
    ? ok({ body: body.value, expected: [version] })
    : refuse("version-mismatch", "If-Match and version say different versions: send one of them.");
}

/** What If-Match allows; null when it is absent or `*`. An ETag that was weakened on its way counts as what it was. */
export function expectedVersions(c: Context<AdminEnv>): Result<number[] | null> {
  const header = c.req.header("if-match");
  if (header === undefined || header.trim() === "*") return ok(null);
  const versions = header.split(",").map((tag) => entityTag.exec(tag.trim())?.[1]);
  return versions.every((version) => version !== undefined)
    ? ok(versions.map(Number))
    : refuse("invalid-parameter", 'If-Match: send the ETag of the answer that you read, like "3".');
}

export function setEntityTag(c: Context<AdminEnv>, version: number): void {
  c.header("etag", `"${version}"`);
}
