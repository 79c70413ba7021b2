/** An experiment as the control plane holds it: the authored body, its status, and the phases that were started. */

import type { ExperimentBody } from "../contracts/experiment.ts";
import type { ExperimentStatus, Phase } from "../contracts/phase.ts";

export interface ExperimentRecord {
  id: string;
  key: string;
  /** Of this record, for If-Match. */
  version: number;
  status: ExperimentStatus;
  body: ExperimentBody;
  /** In order; empty before the first start. The last one is current. */
  phases: Phase[];
  createdAt: string;
  updatedAt: string;
}

export function currentPhase(record: ExperimentRecord): Phase | null {
  return record.phases.at(-1) ?? null;
}
