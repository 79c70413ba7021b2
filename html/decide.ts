/**
 * What happens to one page for one visitor. For every experiment that assigned, the places of all its variants are looked for, whichever
 * one is served, so that control and treatment are exposed by the same pages. Decides by core alone, and does nothing itself.
 */

import type { Edit } from "../contracts/page-edits.ts";
import { evaluate, evaluateAll } from "../core/index.ts";
import type { CompiledSnapshot, Context, Evaluation, Exposure, Json } from "../core/index.ts";
import { isRecord } from "../core/values.ts";
import type { PageFlag } from "./page-rules.ts";

export interface PlannedEdit {
  edit: Edit;
  /** To be logged when the page has a place for the edit. */
  exposure: Exposure | null;
  /** Whether the edit is the visitor's variant's: others are only looked for. */
  served: boolean;
}

export interface Question {
  compiled: CompiledSnapshot;
  context: Context;
  nowMs: number;
}

export function plannedEdits(flags: readonly PageFlag[], question: Question): PlannedEdit[] {
  return flags.flatMap(({ flag, edits }) => {
    const { compiled, context, nowMs } = question;
    const { variant: served, exposure = null } = evaluate(compiled, flag, context, nowMs);
    const looked = exposure === null ? [served] : variantsOf(compiled, exposure);
    return looked.flatMap((variant) =>
      (variant === undefined ? [] : (edits.get(variant) ?? [])).map((edit) => ({
        edit,
        exposure,
        served: variant === served,
      })),
    );
  });
}

function variantsOf(
  { experiments }: CompiledSnapshot,
  { experiment, variant }: Exposure,
): readonly string[] {
  return experiments.get(experiment)?.variants.map((each) => each.variant) ?? [variant];
}

/** Flags for the page's scripts: what they serve to this visitor, and what reporting an exposure takes. */
export interface Bootstrap {
  version: number;
  /** By kind; empty for nobody. */
  units: Record<string, string>;
  flags: Record<string, BootstrapFlag>;
}

interface BootstrapFlag {
  value?: Json;
  variant?: string;
  reason: Evaluation["reason"];
  experiment?: string;
  phase?: number;
  unitKind?: string;
}

export function bootstrapOf(
  flags: "all" | readonly string[],
  unit: string | null,
  { compiled, context, nowMs }: Question,
): Bootstrap {
  const evaluations =
    flags === "all"
      ? evaluateAll(compiled, context, nowMs)
      : flags.map((flag) => evaluate(compiled, flag, context, nowMs));
  return {
    version: compiled.version,
    units: unit === null ? {} : { targetingKey: unit },
    flags: Object.fromEntries(
      evaluations
        .filter(({ errorCode }) => errorCode !== "FLAG_NOT_FOUND")
        .map((evaluation) => [evaluation.flag, bootstrapFlag(evaluation)]),
    ),
  };
}

function bootstrapFlag({ value, variant, reason, exposure }: Evaluation): BootstrapFlag {
  return {
    ...(value !== undefined && { value: withoutEdits(value) }),
    ...(variant !== undefined && { variant }),
    reason,
    ...(exposure && {
      experiment: exposure.experiment,
      phase: exposure.phase,
      unitKind: exposure.kind,
    }),
  };
}

/** They have been made already. */
function withoutEdits(value: Json): Json {
  if (!isRecord(value) || !Object.hasOwn(value, "pageEdits")) return value;
  const { pageEdits: _edits, ...rest } = value;
  return rest;
}

/** A data block: no script, so that no content security policy is asked. Nothing in it can end it. */
export function bootstrapElement(bootstrap: Bootstrap): string {
  const json = JSON.stringify(bootstrap).replaceAll(
    /[<>&\u2028\u2029\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `<script type="application/json" id="edgewise">${json}</script>`;
}
