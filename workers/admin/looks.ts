/**
 * `POST …/experiments/{key}/look` and `…/plan`: a look because somebody asks, the last one declared, and another number of units.
 * Each spends alpha or credibility, so without `confirm` the answer says how much, and nothing is done. What a look would find is never said before.
 */

import { Hono } from "hono";
import type { LedgerRow } from "../../analysis/ledger.ts";
import { askedLook } from "../../analysis/look-due.ts";
import { lookNotices } from "../../analysis/notices.ts";
import { lookInputs } from "../../analysis/refresh.ts";
import { rowsOf } from "../../analysis/take-look.ts";
import { limits } from "../../contracts/limits.ts";
import { lookRequest, replanRequest } from "../../contracts/look-request.ts";
import type { Phase } from "../../contracts/phase.ts";
import { ok, refuse } from "../../contracts/problem.ts";
import type { Result } from "../../contracts/problem.ts";
import { currentPhase } from "../../control/experiment.ts";
import { replan } from "../../control/replan.ts";
import { reply } from "../../http/app.ts";
import { readJson } from "../../http/body.ts";
import { phaseFigures } from "../../stores/phase-figures.ts";
import type { AdminEnv, Services } from "./app.ts";
import { applyChange, changeRequest, publishAfter } from "./change.ts";

export function lookRoutes(services: Services) {
  const { definitions, ledger, cells, now, newId } = services;

  /** What a look would be taken on, and the rows that it would append. */
  async function prepared(
    { environment, experiment }: { environment: string; experiment: string },
    cause: "asked" | "declared",
  ): Promise<Result<{ phase: Phase; rows: LedgerRow[]; before: LedgerRow[]; asOfMs: number }>> {
    const record = await definitions.experiment(environment, experiment);
    if (record === null) return refuse("not-found", `There is no experiment ${experiment}.`);
    const phase = currentPhase(record);
    if (phase === null || record.status === "archived") {
      return refuse(
        "not-possible",
        `${experiment} is ${record.status}; looks are taken once it is started.`,
      );
    }
    const asOfMs = now().getTime();
    const [shards, before] = await Promise.all([
      cells.readFigures(environment, experiment, phase.phase),
      ledger.looks({ environment, experiment, phase: phase.phase }),
    ]);
    const figures = phaseFigures(shards, phase.phase);
    const inputs = lookInputs({ phase, figures, ledger: before, asOfMs, recordedAtMs: asOfMs });
    if (inputs === null) {
      return refuse(
        "not-possible",
        "No unit's window has closed yet: there is nothing to look at.",
      );
    }
    const due = askedLook(inputs, { cause });
    if (!due.ok) return due;
    const rows = rowsOf(inputs, due.value);
    return rows.length === 0
      ? refuse("not-possible", "There is too little new information since the last look.")
      : ok({ phase, rows, before, asOfMs });
  }

  return new Hono<AdminEnv>()
    .post("/:key/look", async (c) => {
      const experiment = c.req.param("key");
      const body = await readJson(c.req.raw, lookRequest, limits.bodyBytes);
      if (!body.ok) return reply(c, body.problem);
      const { reason, confirm, final } = body.value;
      const { environment } = c.get("principal");
      const look = await prepared({ environment, experiment }, final ? "declared" : "asked");
      if (!look.ok) return reply(c, look.problem);
      const { phase, rows, before, asOfMs } = look.value;
      if (!confirm) {
        return c.json({
          taken: false,
          detail: costOf(rows, final),
          ledgers: rows.map((row) => price(row, before)),
        });
      }
      const about = { experiment, phase, asOfMs, newId };
      const taken = await ledger.append({ environment, experiment, phase: phase.phase }, rows, {
        notices: lookNotices(about, rows, [...before, ...rows]),
        asked: { request: changeRequest(c, services), reason },
      });
      if (!taken) {
        const detail = "Another look was taken at this moment; ask again if it is still needed.";
        return reply(c, { code: "conflict", detail });
      }
      await publishAfter(c, services);
      return c.json({
        taken: true,
        ledgers: rows.map((row) => ({ ...price(row, before), z: row.z, crossed: row.crossed })),
      });
    })
    .post("/:key/plan", async (c) => {
      const key = c.req.param("key");
      const body = await readJson(c.req.raw, replanRequest, limits.bodyBytes);
      if (!body.ok) return reply(c, body.problem);
      const { confirm, ...replanning } = body.value;
      if (!confirm) {
        const detail = replanning.blinded
          ? "What is spent stays spent, and what is spent from now on follows the new number. That holds its level only if nothing of the effect led to it. Send confirm: true to vouch for it."
          : "Planning anew after the effect was seen makes this phase exploratory: its results confirm nothing. Send blinded: true if the reason is traffic or the variance of all variants together, and confirm: true to go on.";
        return c.json({ changed: false, detail });
      }
      const changed = await applyChange(c, services, (state, { at }) =>
        replan(state, key, replanning, at),
      );
      if (!changed.ok) return reply(c, changed.problem);
      const phase = currentPhase(changed.value);
      const { maximumSampleSize } = replanning;
      return c.json({ changed: true, maximumSampleSize, exploratory: phase?.exploratory ?? false });
    });
}

function costOf(rows: readonly LedgerRow[], final: boolean): string {
  const ledgers = rows.length === 1 ? "its ledger" : `each of ${rows.length} ledgers`;
  const cost = `This takes a look and spends alpha of ${ledgers}, for good.`;
  const declared =
    "It is the last one: whatever alpha is left is spent on it. That holds its level only if the reason to end has nothing to do with the results.";
  return `${cost} ${final ? `${declared} ` : ""}Send confirm: true to take it.`;
}

function price(row: LedgerRow, before: readonly LedgerRow[]) {
  const { metric, variant, look, informationFraction, boundary, nominalP, alphaSpent } = row;
  const last = before.findLast((one) => one.metric === metric && one.variant === variant);
  return {
    metric,
    variant,
    look,
    informationFraction,
    boundary,
    nominalP,
    alphaSpentBefore: last?.alphaSpent ?? 0,
    alphaSpent,
  };
}
