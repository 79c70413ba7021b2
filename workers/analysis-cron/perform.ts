/**
 * Does what the cron has planned. Every message gets its own answer: done, again later, or never to be understood,
 * in which case the cron plans the work anew. Refreshes come first, because people wait for them.
 */

import type { Message } from "@cloudflare/workers-types";
import type { AnalysisMessage } from "../../contracts/analysis-message.ts";
import { readAnalysis } from "../../stores/analysis-queue.ts";
import type { ArchiveRetention } from "../../stores/archive-retention.ts";
import { analyse } from "./analyse.ts";
import type { Services as AnalysisServices } from "./analyse.ts";
import { compact } from "./compact.ts";
import type { Archive } from "./compact.ts";
import { rebuild } from "./rebuild.ts";
import type { RebuildServices } from "./rebuild.ts";
import { retire } from "./retire.ts";
import type { RetireServices } from "./retire.ts";

export interface Services extends AnalysisServices {
  archive: Archive & { retention: ArchiveRetention };
  rebuilds: RebuildServices;
  retirements: RetireServices;
  queue: (messages: AnalysisMessage[]) => Promise<void>;
}

/** Then it is left to the cron, which plans at its next tick whatever is still to be done. */
const mostAttempts = 4;

interface Delivery {
  message: Message<string>;
  work: AnalysisMessage;
}

export async function performAll(
  messages: readonly Message<string>[],
  services: Services,
): Promise<void> {
  const deliveries = messages.flatMap((message) => understood(message) ?? []);
  const isRefresh = ({ work }: Delivery) => work.task === "refresh";
  const ordered = [
    ...deliveries.filter(isRefresh),
    ...deliveries.filter((delivery) => !isRefresh(delivery)),
  ];
  for (const { message, work } of ordered) {
    try {
      await perform(work, services);
      message.ack();
    } catch (error) {
      tell("analysis-failed", message, error);
      if (message.attempts < mostAttempts) message.retry({ delaySeconds: 2 ** message.attempts });
      else message.ack();
    }
  }
}

function understood(message: Message<string>): Delivery | null {
  try {
    return { message, work: readAnalysis(message.body) };
  } catch (error) {
    tell("analysis-unreadable", message, error);
    message.ack();
    return null;
  }
}

async function perform(
  work: AnalysisMessage,
  { archive, rebuilds, retirements, queue, ...services }: Services,
): Promise<void> {
  switch (work.task) {
    case "refresh":
      return analyse(services, work);
    case "compact":
      return compact(archive, work);
    case "purge":
      if (await archive.retention.removeBefore(work.prefix, work.before)) await queue([work]);
      return;
    case "rebuild":
      if (await rebuild(rebuilds, work)) await queue([work]);
      return;
    case "retire": {
      const rest = await retire(retirements, work);
      if (rest !== null) await queue([rest]);
      return;
    }
    default:
      return work satisfies never;
  }
}

function tell(event: string, { body }: Message<string>, error: unknown): void {
  console.error(JSON.stringify({ event, message: body, error: String(error) }));
}
