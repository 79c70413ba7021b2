/** `POST /api/v1/explain`: what each flag serves to a context and, step by step, why. Exposes nobody. */

import type { Handler } from "hono";
import { explainBody } from "../../contracts/evaluate.ts";
import { limits } from "../../contracts/limits.ts";
import { explain } from "../../core/index.ts";
import type { AppEnv } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import { answer, ask, refused } from "./ask.ts";
import type { Askable } from "./ask.ts";

export function explainRoute(services: Askable): Handler<AppEnv<object>> {
  return async (c) => {
    const asked = await ask(c, services, { kinds: ["server", "admin"] });
    if (!asked.ok) return refused(c, asked.problem);
    const body = await readJson(c.req.raw, explainBody, limits.evaluateBodyBytes);
    if (!body.ok) return refused(c, body.problem);
    const { snapshot, nowMs } = asked.value;
    const { compiled, version } = snapshot.published;
    const { context, flag, flags = [...compiled.flags.keys()] } = body.value;
    const explained = (flag === undefined ? flags : [flag]).map((key) => {
      const { evaluation, steps } = explain(compiled, key, context, nowMs);
      const { flag: _flag, ...rest } = evaluation;
      return [key, { ...rest, steps }] as const;
    });
    const answered = { version, flags: Object.fromEntries(explained) };
    return answer(c, asked.value, JSON.stringify(answered));
  };
}
