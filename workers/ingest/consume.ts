/**
 * Where an exposure becomes a row. A batch of one shard's queue is archived, then folded, and only then acknowledged:
 * whatever fails in between, its messages come again, and counting them again changes nothing.
 * Every message gets its own answer, so one that cannot be read holds nobody back.
 */

import type { Message, MessageBatch } from "@cloudflare/workers-types";
import { readEventMessage } from "../../contracts/queue-message.ts";
import type { EventMessage } from "../../contracts/queue-message.ts";
import type { CompiledPlan } from "../../counting/plan.ts";
import type { CountingPlanStore } from "../../stores/counting-plan-store.ts";
import type { DeadLetterStore } from "../../stores/dead-letter-store.ts";
import type { EventArchive } from "../../stores/event-archive.ts";
import type { UnitShard } from "../../stores/unit-shard.ts";
import { decide } from "./decide.ts";
import type { Fate } from "./decide.ts";
import { putAside } from "./put-aside.ts";

export interface Consumer {
  archive: Pick<EventArchive, "keep">;
  letters: Pick<DeadLetterStore, "putAside">;
  plans: CountingPlanStore;
  shard: UnitShard;
  shardIndex: number;
  nowMs: () => number;
}

interface Delivery {
  message: Message;
  /** Null: it cannot be read. */
  content: Content | null;
  /** Counted, unless one of the steps finds otherwise. */
  fate: Fate;
}

interface Content extends EventMessage {
  /** Of the message as it came. */
  text: string;
}

/**
 * Of messages that are read, archived and folded together: bounds what is held of the isolate's 128 MB. It is as much as a hundred messages
 * mostly have, because the more units are folded at once, the more of them share a page that is written.
 */
const charactersAFold = 4_000_000;

export async function consume(batch: MessageBatch, consumer: Consumer): Promise<void> {
  for (const messages of foldsOf(batch.messages)) {
    const deliveries = messages.map(read);
    await consumeTogether(deliveries, consumer);
    for (const delivery of deliveries) await answer(delivery, batch.queue, consumer);
  }
}

async function consumeTogether(deliveries: Delivery[], consumer: Consumer): Promise<void> {
  const { archive, shard, shardIndex, nowMs } = consumer;
  const plans = await findPlans(deliveries, consumer);
  await attempt("archive", deliveries, (contents) => {
    const withEvents = contents.filter(({ events }) => events.length > 0);
    return archive.keep(
      withEvents.map(({ text }) => text),
      shardIndex,
      nowMs(),
    );
  });
  await attempt("fold", deliveries, (contents) => shard.fold(plans, contents, nowMs()));
}

function read(message: Message): Delivery {
  try {
    if (typeof message.body !== "string") throw new TypeError("the body is not text");
    const content = { ...readEventMessage(message.body), text: message.body };
    return { message, content, fate: { kind: "counted" } };
  } catch (error) {
    return { message, content: null, fate: { kind: "unreadable", reason: String(error) } };
  }
}

/** By environment. A message that was judged by a newer plan than can be had waits for it. */
async function findPlans(
  deliveries: readonly Delivery[],
  { plans, nowMs }: Consumer,
): Promise<Map<string, CompiledPlan>> {
  const found = new Map<string, CompiledPlan>();
  for (const [environment, some] of Map.groupBy(deliveries, (each) => each.content?.environment)) {
    if (environment === undefined) continue;
    await attempt("plan", some, async (contents) => {
      const needed = Math.max(...contents.map(({ version }) => version));
      let plan = await plans.get(environment, nowMs());
      if (plan.version < needed) plan = await plans.getNewer(plan, nowMs());
      found.set(environment, plan);
      for (const delivery of some) {
        const isAhead = (delivery.content?.version ?? 0) > plan.version;
        if (isAhead) delivery.fate = { kind: "plan-behind" };
      }
    });
  }
  return found;
}

/** Does one step for the messages that are still good; when it fails, they all come again. */
async function attempt(
  step: string,
  deliveries: readonly Delivery[],
  work: (contents: Content[]) => Promise<void>,
): Promise<void> {
  const good = deliveries.filter(({ fate }) => fate.kind === "counted");
  const contents = good.flatMap(({ content }) => content ?? []);
  if (contents.length === 0) return;
  try {
    await work(contents);
  } catch (error) {
    console.error(JSON.stringify({ event: "consume-failed", step, error: String(error) }));
    for (const delivery of good) delivery.fate = { kind: "unavailable" };
  }
}

function foldsOf(messages: readonly Message[]): Message[][] {
  const folds: Message[][] = [];
  let characters = Infinity;
  for (const message of messages) {
    const own = typeof message.body === "string" ? message.body.length : 0;
    if (characters + own > charactersAFold) {
      folds.push([]);
      characters = 0;
    }
    folds.at(-1)?.push(message);
    characters += own;
  }
  return folds;
}

async function answer(
  { message, fate }: Delivery,
  queue: string,
  { letters, nowMs }: Consumer,
): Promise<void> {
  const decided = decide(fate, message.attempts);
  switch (decided.action) {
    case "ack":
      return message.ack();
    case "retry":
      return message.retry({ delaySeconds: decided.delaySeconds });
    case "dead-letter":
      return putAside(message, { reason: decided.reason, queue }, letters, nowMs());
    default:
      return decided satisfies never;
  }
}
