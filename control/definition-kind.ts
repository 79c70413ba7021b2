/** What tells flags, metrics, layers, holdouts and segments apart; all else about them is the same (`change-definition.ts`). */

import type { FieldError } from "../contracts/problem.ts";
import type {
  DefinitionBodies,
  DefinitionOf,
  DefinitionWrite,
  Entity,
  EnvironmentState,
} from "./environment-state.ts";

/** @typeParam Body as people write it */
export interface DefinitionKind<E extends Entity, Body extends { key: string }> {
  entity: E;
  /** In routes and answers. */
  plural: string;
  of: (state: EnvironmentState) => readonly DefinitionOf<E>[];
  write: (definition: DefinitionOf<E>) => DefinitionWrite;
  /** @param before what it replaces, null at creation */
  check: (body: Body, state: EnvironmentState, before: DefinitionBodies[E] | null) => FieldError[];
  /** From the authored form to the one that is kept; the body has passed `check`. */
  stored: (
    body: Body,
    before: DefinitionBodies[E] | null,
    freshSalt: string,
  ) => DefinitionBodies[E];
  authored: (stored: DefinitionBodies[E]) => Body;
  /** Who keeps it from being archived, in words. */
  users: (key: string, state: EnvironmentState) => string[];
  /** What it does to units that are assigned already. */
  warnings: (
    before: DefinitionBodies[E] | null,
    after: DefinitionBodies[E],
    state: EnvironmentState,
  ) => string[];
}

/** A salt is minted once: another one would assign everybody anew. */
export function checkSalt(
  given: string | undefined,
  before: { salt: string } | null,
): FieldError[] {
  if (given === undefined || before === null || given === before.salt) return [];
  const detail = "A salt never changes, because units would be assigned anew: leave it out.";
  return [{ pointer: "/salt", detail }];
}
