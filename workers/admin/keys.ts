/** `…/keys`: make, list and revoke API keys. A secret is shown once, here; only its hash is stored. */

import { Hono } from "hono";
import { hashSecret } from "../../contracts/api-key.ts";
import type { ApiKey } from "../../contracts/api-key.ts";
import { keyRequest } from "../../contracts/key-request.ts";
import { limits } from "../../contracts/limits.ts";
import { reply } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import type { AdminEnv, Services } from "./app.ts";
import { changeRequest, publishAfter } from "./change.ts";

export function keyRoutes(services: Services) {
  const { environments, publisher, newId, newSecret } = services;
  return new Hono<AdminEnv>()
    .get("/", async (c) =>
      c.json({ keys: await environments.keys(c.get("principal").environment) }),
    )
    .post("/", async (c) => {
      const body = await readJson(c.req.raw, keyRequest, limits.bodyBytes);
      if (!body.ok) return reply(c, body.problem);
      const { environment } = c.get("principal");
      const { name, ...kind } = body.value;
      const id = newId();
      const secret = `ew_${kind.kind}_${newSecret()}`;
      const hash = await hashSecret(secret);
      const key: ApiKey = { v: 1, id, environment, ...kind };
      const request = changeRequest(c, services);
      await environments.addKey(request, { ...kind, id, name, hash });
      await publisher.publishKey(hash, key);
      await publishAfter(c, services);
      return c.json({ id, secret, ...kind, name, createdAt: request.at }, 201);
    })
    .delete("/:id", async (c) => {
      const id = c.req.param("id");
      const hash = await environments.revokeKey(changeRequest(c, services), id);
      if (hash === null) {
        return reply(c, { code: "not-found", detail: `There is no key ${id} in force.` });
      }
      await publisher.publishKey(hash, null);
      await publishAfter(c, services);
      return c.body(null, 204);
    });
}
