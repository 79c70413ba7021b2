/**
 * Does what the cron has planned. Every message gets its own answer: done, again later, or never to be understood,
 * in which case the cron plans the work anew. Refreshes come first, because people wait for them.
 */

import type { Message } from "@cloudflare/workers-types";
import type {
  AnalysisMessage,
  RefreshManyMessage,
  RefreshMessage,
} from "../../contracts/analysis-message.ts";
import { readAnalysis } from "../../stores/analysis-queue.ts";
import type { ArchiveRetention } from "../../stores/archive-retention.ts";
import type { WebhookStore } from "../../stores/webhook-store.ts";
import { analyse } from "./analyse.ts";
import type { Services as AnalysisServices } from "./analyse.ts";
import { compact } from "./compact.ts";
import type { Archive } from "./compact.ts";
import { deliver } from "./deliver.ts";
import type { DeliverServices } from "./deliver.ts";
import { rebuild } from "./rebuild.ts";
import type { RebuildServices } from "./rebuild.ts";
import { retire } from "./retire.ts";
import type { RetireServices } from "./retire.ts";
import { rollUp } from "./roll-up.ts";
import type { RollUpServices } from "./roll-up.ts";
import { takeStep } from "./take-step.ts";
import type { StepServices } from "./take-step.ts";

export interface Services extends AnalysisServices, DeliverServices, StepServices {
  webhooks: DeliverServices["webhooks"] &
    StepServices["webhooks"] &
    Pick<WebhookStore, "removeBefore">;
  definitions: AnalysisServices["definitions"];
  ledger: AnalysisServices["ledger"];
  cells: AnalysisServices["cells"];
  archive: Archive & { retention: ArchiveRetention };
  rebuilds: RebuildServices;
  retirements: RetireServices;
  rollUps: RollUpServices;
  queue: (messages: AnalysisMessage[]) => Promise<void>;
}

/** Then it is left to the cron, which plans at its next tick whatever is still to be done. */
const mostAttempts = 4;
const hourMs = 3_600_000;

interface Understood {
  message: Message<string>;
  work: AnalysisMessage;
}

export async function performAll(
  messages: readonly Message<string>[],
  services: Services,
): Promise<void> {
  const tasks = messages.flatMap((message) => understood(message) ?? []);
  const urgent = tasks.filter(
    ({ work }) => work.task === "refresh" || work.task === "refresh-many",
  );
  const sent = tasks.filter(({ work }) => work.task === "deliver");
  const rest = tasks.filter((each) => !urgent.includes(each) && !sent.includes(each));
  for (const each of [...urgent, ...rest]) await answered(each, services);
  // Somebody else's server may take its time: that delays no analysis, and no other notice.
  await Promise.all(sent.map((each) => answered(each, services)));
}

async function answered({ message, work }: Understood, services: Services): Promise<void> {
  try {
    await perform(work, services);
    message.ack();
  } catch (error) {
    tell("analysis-failed", message, error);
    if (message.attempts < mostAttempts) {
      message.retry({ delaySeconds: 2 ** message.attempts });
      return;
    }
    message.ack();
    if (work.task === "refresh") await tellFailing(services, work, error);
  }
}

/** Once an hour and experiment. */
async function tellFailing(
  { webhooks, newId, nowMs }: Services,
  { environment, experiment }: RefreshMessage,
  error: unknown,
): Promise<void> {
  const now = nowMs();
  try {
    await webhooks.tell(environment, {
      id: newId(),
      key: `analysis/${experiment}/${Math.floor(now / hourMs)}`,
      kind: "cron.failing",
      at: new Date(now).toISOString(),
      experiment,
      summary: `${experiment} cannot be analysed: ${String(error).slice(0, 500)}`,
      data: { attempts: mostAttempts },
    });
  } catch (failure) {
    console.error(JSON.stringify({ event: "notice-lost", experiment, error: String(failure) }));
  }
}

function understood(message: Message<string>): Understood | null {
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
  { archive, rebuilds, retirements, rollUps, queue, ...services }: Services,
): Promise<void> {
  switch (work.task) {
    case "refresh": {
      const [failure] = await analyse(services, { ...work, experiments: [work.experiment] });
      if (failure !== undefined) throw failure.error;
      return;
    }
    case "refresh-many":
      return refreshMany(services, work, queue);
    case "compact":
      return compact(archive, work);
    case "purge":
      if (await archive.retention.removeBefore(work.prefix, work.before)) await queue([work]);
      return;
    case "purge-notices":
      if (await services.webhooks.removeBefore(work.before)) await queue([work]);
      return;
    case "step":
      return takeStep(services, work);
    case "deliver":
      return deliver(services, work);
    case "rebuild":
      if (await rebuild(rebuilds, work)) await queue([work]);
      return;
    case "retire": {
      const rest = await retire(retirements, work);
      if (rest !== null) await queue([rest]);
      return;
    }
    case "roll-up":
      if (await rollUp(rollUps, work)) await queue([work]);
      return;
    default:
      return work satisfies never;
  }
}

/** What fails, were it all of them, is refreshed alone: there it is tried again, and told. */
async function refreshMany(
  services: AnalysisServices,
  { environment, experiments, asOfMs }: RefreshManyMessage,
  queue: Services["queue"],
): Promise<void> {
  const alone = await analyse(services, { environment, experiments, asOfMs }).then(
    (failures) => failures.map(({ experiment }) => experiment),
    (error: unknown) => {
      console.error(
        JSON.stringify({ event: "analyses-failed", environment, error: String(error) }),
      );
      return experiments;
    },
  );
  await queue(
    alone.map((experiment) => ({ v: 1, task: "refresh", environment, experiment, asOfMs })),
  );
}

function tell(event: string, { body }: Message<string>, error: unknown): void {
  console.error(JSON.stringify({ event, message: body, error: String(error) }));
}
