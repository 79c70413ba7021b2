/** `…/flags`, `…/metrics`, `…/layers`, `…/holdouts`, `…/segments`: create, read, replace and archive, the same for every kind. */

import { Hono } from "hono";
import type { Context } from "hono";
import type * as z from "zod/mini";
import { limits } from "../../contracts/limits.ts";
import {
  archiveDefinition,
  createDefinition,
  replaceDefinition,
  unknownDefinition,
} from "../../control/change-definition.ts";
import type { Changed } from "../../control/change-definition.ts";
import type { DefinitionKind } from "../../control/definition-kind.ts";
import type { DefinitionBodies, DefinitionOf, Entity } from "../../control/environment-state.ts";
import { reply } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import type { AdminEnv, Services } from "./app.ts";
import { applyChange } from "./change.ts";
import { expectedVersions, readReplacement, setEntityTag } from "./replacement.ts";

/** What an answer says beyond the definition itself. */
export interface Derived<E extends Entity> {
  /** The members, so that a body may have them and they are ignored. */
  members: readonly string[];
  of: (environment: string) => Promise<(stored: DefinitionBodies[E]) => object>;
}

const nothing = { members: [], of: async () => () => ({}) };

export interface Authoring<E extends Entity, Body> {
  /** A body as people write it. */
  schema: z.ZodMiniType<Body>;
  derived?: Derived<E>;
}

export function definitionRoutes<E extends Entity, Body extends { key: string }>(
  services: Services,
  kind: DefinitionKind<E, Body>,
  { schema, derived = nothing }: Authoring<E, Body>,
) {
  const { definitions } = services;

  async function views(environment: string, all: readonly DefinitionOf<E>[]) {
    const more = await derived.of(environment);
    return all.map(({ id, version, body, createdAt, updatedAt }) => ({
      id,
      version,
      ...kind.authored(body),
      ...more(body),
      createdAt,
      updatedAt,
    }));
  }

  async function answer(
    c: Context<AdminEnv>,
    { definition, warnings }: Changed<E>,
    status: 200 | 201 = 200,
  ) {
    const [view] = await views(c.get("principal").environment, [definition]);
    setEntityTag(c, definition.version);
    return c.json({ ...view, ...(warnings.length > 0 && { warnings }) }, status);
  }

  return new Hono<AdminEnv>()
    .get("/", async (c) => {
      const { environment } = c.get("principal");
      const all = await definitions.definitions(environment, kind.entity);
      return c.json({ [kind.plural]: await views(environment, all) });
    })
    .get("/:key", async (c) => {
      const key = c.req.param("key");
      const { environment } = c.get("principal");
      const definition = await definitions.definition(environment, kind.entity, key);
      return definition === null
        ? reply(c, unknownDefinition(kind.entity, key).problem)
        : await answer(c, { definition, warnings: [] });
    })
    .post("/", async (c) => {
      const body = await readJson(c.req.raw, schema, limits.bodyBytes);
      if (!body.ok) return reply(c, body.problem);
      const created = await applyChange(c, services, (state, fresh) =>
        createDefinition(kind, state, body.value, fresh),
      );
      return created.ok ? await answer(c, created.value, 201) : reply(c, created.problem);
    })
    .put("/:key", async (c) => {
      const key = c.req.param("key");
      const read = await readReplacement(c, key, {
        schema,
        derived: derived.members,
        limitBytes: limits.bodyBytes,
      });
      if (!read.ok) return reply(c, read.problem);
      const { body, expected } = read.value;
      const replaced = await applyChange(c, services, (state, { at }) =>
        replaceDefinition(kind, state, body, { expected, at }),
      );
      return replaced.ok ? await answer(c, replaced.value) : reply(c, replaced.problem);
    })
    .delete("/:key", async (c) => {
      const key = c.req.param("key");
      const expected = expectedVersions(c);
      if (!expected.ok) return reply(c, expected.problem);
      const archived = await applyChange(c, services, (state, { at }) =>
        archiveDefinition(kind, state, key, { expected: expected.value, at }),
      );
      return archived.ok ? c.body(null, 204) : reply(c, archived.problem);
    });
}
