/** Sends rows as exposures and outcomes in batches, a few at a time, and keeps count of what was accepted and what was refused, by line. */

import { createHash } from "node:crypto";
import * as z from "zod/mini";
import type { Api } from "./api.ts";
import type { Nonsense, Row } from "./read-rows.ts";

const batchEvents = 1_000;
const batchesAtOnce = 4;

/** Rows that may be sent and unanswered when a replay is cut short. */
export const rowsUnderWay = batchEvents * (batchesAtOnce + 1);

const intakeAnswer = z.object({
  accepted: z.number(),
  rejected: z.array(z.object({ index: z.number(), code: z.string(), detail: z.string() })),
});

export interface Sender {
  /** Resolves when there is room for more. */
  add(row: Row, timeMs: number): Promise<void>;
  /** Resolves when everything added has been answered. */
  flush(): Promise<void>;
  readonly accepted: number;
  readonly rejected: readonly Nonsense[];
}

interface Sent {
  event: object;
  line: number;
}

/** The same for the same row, however often it is sent, and short whatever the names. */
function idOf(...parts: string[]): string {
  return createHash("sha256").update(parts.join("\u001f")).digest("hex").slice(0, 32);
}

export function sender(
  api: Api,
  { experiment, events }: { experiment: string; events: ReadonlyMap<string, string> },
): Sender {
  const rejected: Nonsense[] = [];
  const underWay = new Set<Promise<void>>();
  let accepted = 0;
  let batch: Sent[] = [];

  async function post(sent: readonly Sent[]): Promise<void> {
    const body = { source: "import", events: sent.map(({ event }) => event) };
    const answer = await api.post("/events/batch", body, intakeAnswer);
    accepted += answer.accepted;
    for (const { index, code, detail } of answer.rejected) {
      rejected.push({ line: sent[index]?.line ?? 0, reason: `${code}: ${detail}` });
    }
  }

  async function dispatch(): Promise<void> {
    const sent = batch;
    batch = [];
    if (sent.length === 0) return;
    const posting = post(sent).finally(() => underWay.delete(posting));
    underWay.add(posting);
    // Whoever waits next is told; until then it must not count as unhandled.
    posting.catch(() => {});
    if (underWay.size >= batchesAtOnce) await Promise.race(underWay);
  }

  return {
    async add({ line, unit, variant, values }, timeMs) {
      const timestamp = new Date(timeMs).toISOString();
      const exposure = { type: "exposure", experiment, variant, unit, timestamp };
      const outcomes = [...events].flatMap(([metric, name], index) => {
        const value = values[index] ?? 0;
        const id = idOf(experiment, metric, unit);
        return value === 0 ? [] : [{ type: "outcome", id, name, unit, value, timestamp }];
      });
      const sent = [exposure, ...outcomes].map((event) => ({ event, line }));
      if (batch.length + sent.length > batchEvents) await dispatch();
      batch.push(...sent);
    },
    async flush() {
      await dispatch();
      await Promise.all(underWay);
    },
    get accepted() {
      return accepted;
    },
    get rejected() {
      return rejected;
    },
  };
}
