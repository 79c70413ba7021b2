/** `…/webhooks`: where alerts are sent. A signing secret is shown once, when its webhook is made; role admin. */

import { Hono } from "hono";
import { limits } from "../../contracts/limits.ts";
import { refuse, refuseFields } from "../../contracts/problem.ts";
import type { Refusal } from "../../contracts/problem.ts";
import { isLoopback, webhookBody, webhookUrlFault } from "../../contracts/webhook.ts";
import type { WebhookBody } from "../../contracts/webhook.ts";
import { reply } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import type { AdminEnv, Services } from "./app.ts";
import { changeRequest, publishAfter } from "./change.ts";

/** An environment's, so that a breach is not a thousand requests. */
const mostWebhooks = 20;
const secretBytes = 32;

export function webhookRoutes(services: Services) {
  const { webhooks, newId } = services;
  return new Hono<AdminEnv>()
    .get("/", async (c) =>
      c.json({ webhooks: await webhooks.webhooks(c.get("principal").environment) }),
    )
    .get("/:id", async (c) => {
      const id = c.req.param("id");
      const found = await webhooks.webhook(c.get("principal").environment, id);
      return found === null ? reply(c, unknown(id).problem) : c.json(found);
    })
    .post("/", async (c) => {
      const body = await readJson(c.req.raw, webhookBody, limits.bodyBytes);
      if (!body.ok) return reply(c, body.problem);
      const fault = urlRefusal(body.value, c.req.url);
      if (fault !== null) return reply(c, fault.problem);
      const known = await webhooks.webhooks(c.get("principal").environment);
      if (known.length >= mostWebhooks) {
        const detail = `An environment has at most ${mostWebhooks} webhooks; remove one first.`;
        return reply(c, { code: "not-possible", detail });
      }
      const request = changeRequest(c, services);
      const webhook = { id: newId(), ...body.value, createdAt: request.at };
      const secret = newSigningSecret();
      await webhooks.add(request, { ...webhook, secret });
      await publishAfter(c, services);
      return c.json({ ...webhook, secret }, 201);
    })
    .put("/:id", async (c) => {
      const id = c.req.param("id");
      const body = await readJson(c.req.raw, webhookBody, limits.bodyBytes);
      if (!body.ok) return reply(c, body.problem);
      const fault = urlRefusal(body.value, c.req.url);
      if (fault !== null) return reply(c, fault.problem);
      const request = changeRequest(c, services);
      const found = await webhooks.webhook(request.environment, id);
      if (found === null) return reply(c, unknown(id).problem);
      const webhook = { id, ...body.value, createdAt: found.createdAt };
      if (!(await webhooks.replace(request, webhook))) return reply(c, unknown(id).problem);
      await publishAfter(c, services);
      return c.json(webhook);
    })
    .delete("/:id", async (c) => {
      const id = c.req.param("id");
      const request = changeRequest(c, services);
      const found = await webhooks.webhook(request.environment, id);
      if (found === null) return reply(c, unknown(id).problem);
      if (!(await webhooks.remove(request, found))) return reply(c, unknown(id).problem);
      await publishAfter(c, services);
      return c.body(null, 204);
    });
}

function unknown(id: string): Refusal {
  return refuse("not-found", `There is no webhook ${id}.`);
}

/** Asked through a loopback address, this is a local Edgewise: no request reaches a deployed one under such a name. */
function urlRefusal({ url }: WebhookBody, asked: string): Refusal | null {
  const detail = webhookUrlFault(url, isLoopback(new URL(asked).hostname));
  return detail === null ? null : refuseFields([{ pointer: "/url", detail }]);
}

/** As Standard Webhooks has it: base64 after a prefix. */
function newSigningSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(secretBytes));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
