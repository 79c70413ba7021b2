/** An experiment as the control plane holds it: the authored body, its status, and the phases that were started. */

import type { ExperimentBody } from "../contracts/experiment.ts";
import type { ExperimentStatus, Phase } from "../contracts/phase.ts";

export interface ExperimentRecord {
  id: string;
  key: string;
  /** Of this record, for If-Match. */
  version: number;
  status: ExperimentStatus;
  /** As authored, but for `traffic`, which is what it has been raised to. */
  body: ExperimentBody;
  /** In order; empty before the first start. The last one is current. */
  phases: Phase[];
  createdAt: string;
  updatedAt: string;
}

export function currentPhase(record: ExperimentRecord): Phase | null {
  return record.phases.at(-1) ?? null;
}

/** The flag that it is a rule of. */
export function flagKeyOf({ key, flag }: Pick<ExperimentBody, "key" | "flag">): string {
  return flag ?? key;
}

/** Neither completed nor archived: what it refers to must stay. */
export function isUnfinished({ status }: ExperimentRecord): boolean {
  return status === "draft" || isStarted({ status });
}

/** Started and not finished: its variants and slots are somebody's. */
export function isStarted({ status }: Pick<ExperimentRecord, "status">): boolean {
  return status === "running" || status === "paused";
}
