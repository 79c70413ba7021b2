/** Tells, once an hour and shard, that events wait to be counted for longer than results may be old. */

import type { QueueBacklog } from "../../stores/queue-backlog.ts";
import type { WebhookStore } from "../../stores/webhook-store.ts";

export interface PipelineServices {
  /** One entry a shard; null where the platform does not tell. */
  backlogs: () => Promise<readonly (QueueBacklog | null)[]>;
  webhooks: Pick<WebhookStore, "tellAll">;
  newId: () => string;
  nowMs: () => number;
}

const lagAlarmMs = 5 * 60_000;
const hourMs = 3_600_000;

export async function watchPipeline(services: PipelineServices): Promise<void> {
  const { backlogs, webhooks, newId, nowMs } = services;
  const now = nowMs();
  for (const [shard, backlog] of (await backlogs()).entries()) {
    const oldestAtMs = backlog?.oldestAtMs ?? null;
    if (oldestAtMs === null || now - oldestAtMs <= lagAlarmMs) continue;
    const seconds = Math.round((now - oldestAtMs) / 1_000);
    await webhooks.tellAll({
      id: newId(),
      key: `lag/${shard}/${Math.floor(now / hourMs)}`,
      kind: "pipeline.lagging",
      at: new Date(now).toISOString(),
      experiment: null,
      summary: `Events of shard ${shard} have waited to be counted for ${seconds} s.`,
      data: { shard, oldestAgeSeconds: seconds, messages: backlog?.messages ?? 0 },
    });
  }
}
