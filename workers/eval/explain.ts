/** `POST /api/v1/explain`: what each flag serves to a context and, step by step, why. Exposes nobody. */

import type { Handler } from "hono";
import { explainBody } from "../../contracts/evaluate.ts";
import { limits } from "../../contracts/limits.ts";
import { explain } from "../../core/index.ts";
import type { AppEnv } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import { answer, ask, refused } from "./ask.ts";
import type { Askable } from "./ask.ts";
import { flagAnswer } from "./evaluate.ts";
import { isAutomated } from "./serve.ts";

export function explainRoute(services: Askable): Handler<AppEnv<object>> {
  return async (c) => {
    const asked = await ask(c, services, { kinds: ["server", "admin"] });
    if (!asked.ok) return refused(c, asked.problem);
    const body = await readJson(c.req.raw, explainBody, limits.evaluateBodyBytes);
    if (!body.ok) return refused(c, body.problem, asked.value);
    const { snapshot, nowMs } = asked.value;
    const { compiled, version } = snapshot.published;
    const { context, flag, flags = compiled.flags.keys() } = body.value;
    const explained = Array.from(new Set(flag === undefined ? flags : [flag]), (key) => {
      const { evaluation, steps } = explain(compiled, key, context, nowMs);
      if (isAutomated(context)) delete evaluation.exposure;
      return [key, { ...flagAnswer(evaluation, snapshot.stale), steps }] as const;
    });
    const answered = { version, flags: Object.fromEntries(explained) };
    return answer(c, asked.value, JSON.stringify(answered));
  };
}
