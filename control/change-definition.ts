/** Creating, replacing and archiving a definition of any kind: pure decisions on one reading of the environment. */

import { ok, refuse, refuseFields } from "../contracts/problem.ts";
import type { Refusal, Result } from "../contracts/problem.ts";
import type { DefinitionKind } from "./definition-kind.ts";
import type { Decision, DefinitionOf, Entity, EnvironmentState } from "./environment-state.ts";

/** What a decision takes from outside, so that it stays pure. */
export interface Fresh {
  /** ISO-8601. */
  at: string;
  /** UUIDv7. */
  id: string;
  salt: string;
}

export interface Changed<E extends Entity> {
  definition: DefinitionOf<E>;
  /** What it does to units that are assigned already. */
  warnings: string[];
}

export function createDefinition<E extends Entity, Body extends { key: string }>(
  kind: DefinitionKind<E, Body>,
  state: EnvironmentState,
  body: Body,
  { at, id, salt }: Fresh,
): Result<Decision<Changed<E>>> {
  const { entity } = kind;
  if (kind.of(state).some((known) => known.body.key === body.key)) {
    const detail = `There is or was a ${entity} ${body.key}; keys are never used twice.`;
    return refuse("conflict", detail);
  }
  const errors = kind.check(body, state, null);
  if (errors.length > 0) return refuseFields(errors);
  const definition: DefinitionOf<E> = {
    id,
    version: 1,
    body: kind.stored(body, null, salt),
    createdAt: at,
    updatedAt: at,
    archivedAt: null,
  };
  const value = { definition, warnings: kind.warnings(null, definition.body, state) };
  return ok({ action: "create", writes: [kind.write(definition)], value });
}

/** @param expected the versions that the caller may have read; null replaces whatever there is */
export function replaceDefinition<E extends Entity, Body extends { key: string }>(
  kind: DefinitionKind<E, Body>,
  state: EnvironmentState,
  body: Body,
  { expected, at }: { expected: readonly number[] | null; at: string },
): Result<Decision<Changed<E>>> {
  const found = findInForce(kind, state, body.key, expected);
  if (!found.ok) return found;
  const before = found.value;
  const errors = kind.check(body, state, before.body);
  if (errors.length > 0) return refuseFields(errors);
  const definition: DefinitionOf<E> = {
    ...before,
    version: before.version + 1,
    // Salts stay, so that no fresh one is needed.
    body: kind.stored(body, before.body, ""),
    updatedAt: at,
  };
  const value = { definition, warnings: kind.warnings(before.body, definition.body, state) };
  return ok({ action: "update", writes: [kind.write(definition)], value });
}

export function archiveDefinition<E extends Entity, Body extends { key: string }>(
  kind: DefinitionKind<E, Body>,
  state: EnvironmentState,
  key: string,
  { expected, at }: { expected: readonly number[] | null; at: string },
): Result<Decision<Changed<E>>> {
  const found = findInForce(kind, state, key, expected);
  if (!found.ok) return found;
  const users = kind.users(key, state);
  if (users.length > 0) {
    const detail = `The ${kind.entity} ${key} is used by ${users.join(", ")}; change that first.`;
    return refuse("conflict", detail);
  }
  const before = found.value;
  const version = before.version + 1;
  const definition: DefinitionOf<E> = { ...before, version, updatedAt: at, archivedAt: at };
  const value = { definition, warnings: [] };
  return ok({ action: "archive", writes: [kind.write(definition)], value });
}

function findInForce<E extends Entity, Body extends { key: string }>(
  kind: DefinitionKind<E, Body>,
  state: EnvironmentState,
  key: string,
  expected: readonly number[] | null,
): Result<DefinitionOf<E>> {
  const found = kind.of(state).find(({ body, archivedAt }) => {
    return body.key === key && archivedAt === null;
  });
  if (found === undefined) return unknownDefinition(kind.entity, key);
  const stale = versionRefusal(`The ${kind.entity} ${key}`, found.version, expected);
  return stale ?? ok(found);
}

export function unknownDefinition(entity: string, key: string): Refusal {
  return refuse("not-found", `There is no ${entity} ${key}.`);
}

/** Null when the caller changes what it has read. */
export function versionRefusal(
  what: string,
  version: number,
  expected: readonly number[] | null,
): Refusal | null {
  if (expected === null || expected.includes(version)) return null;
  const detail = `${what} is at version ${version}, not ${expected.join(" or ")}: read it again and repeat the change.`;
  return refuse("version-mismatch", detail);
}
