/**
 * Packs events into queue messages: JSON text of one environment and one shard each, as many events as fit.
 * The shape is contracts/queue-message.ts; whoever sends decides which queue is which shard.
 */

import { hash32 } from "../core/index.ts";
import { shardOf } from "./unit.ts";
import type { Counts, CountedEvent, ExposureEvent, OutcomeEvent } from "./types.ts";
import { utf8Length } from "./utf8.ts";

export interface Packing {
  environment: string;
  /** The published version that the events were judged by. */
  version: number;
  receivedAtMs: number;
  shards: number;
  /** Of one message, in UTF-8. */
  maxBytes: number;
  /** Travel in one of the messages, and in one of their own when there are no events. */
  counts?: Counts;
}

/** Messages by shard, in the order of their events. Throws a RangeError on an event that fits no message. */
export function packEvents(
  events: readonly CountedEvent[],
  { environment, version, receivedAtMs, shards, maxBytes, counts = {} }: Packing,
): Map<number, string[]> {
  const head = `{"v":2,"environment":${JSON.stringify(environment)},"version":${version},"receivedAtMs":${receivedAtMs}`;
  const hasCounts = Object.keys(counts).length > 0;
  const countsText = hasCounts ? `,"counts":${JSON.stringify(counts)}` : "";
  let tail = `${countsText}}`;
  const room = maxBytes - utf8Length(head) - utf8Length(tail);
  const open: (OpenMessage | undefined)[] = [];
  const packed = new Map<number, string[]>();
  const close = (shard: number, message: OpenMessage) => {
    const messages = packed.get(shard) ?? [];
    messages.push(head + message.text + tail);
    tail = "}";
    packed.set(shard, messages);
  };

  for (const event of events) {
    const shard = shardOf(environment, event, shards);
    const message = open[shard];
    if (message?.add(event)) continue;
    if (message) close(shard, message);
    const next = new OpenMessage(receivedAtMs, room);
    if (!next.add(event)) throw new RangeError("an event fits no message");
    open[shard] = next;
  }
  for (const [shard, message] of open.entries()) if (message) close(shard, message);
  if (hasCounts && packed.size === 0) {
    close(hash32(environment) % shards, new OpenMessage(receivedAtMs, room));
  }
  return packed;
}

/** What is between head and tail of a message. */
class OpenMessage {
  readonly #receivedAtMs: number;
  readonly #names = new Map<string, number>();
  readonly #exposures: string[] = [];
  readonly #outcomes: string[] = [];
  /** Bytes that are left. */
  #room: number;

  constructor(receivedAtMs: number, roomBytes: number) {
    this.#receivedAtMs = receivedAtMs;
    this.#room = roomBytes - this.text.length;
  }

  get text(): string {
    const names = JSON.stringify([...this.#names.keys()]);
    return `,"names":${names},"exposures":[${this.#exposures.join(",")}],"outcomes":[${this.#outcomes.join(",")}]`;
  }

  /** False when there is no room for it: then it is as if it had not been tried, and the message is to be closed. */
  add(event: CountedEvent): boolean {
    const known = this.#names.size;
    const isExposure = event.type === "exposure";
    const text = JSON.stringify(isExposure ? this.#exposure(event) : this.#outcome(event));
    const texts = isExposure ? this.#exposures : this.#outcomes;
    this.#room -= utf8Length(text) + (texts.length > 0 ? 1 : 0);
    if (this.#room >= 0) {
      texts.push(text);
      return true;
    }
    for (const name of [...this.#names.keys()].slice(known)) this.#names.delete(name);
    return false;
  }

  #exposure(event: ExposureEvent): unknown[] {
    const { kind, source, unit, timeMs, experiment, variant, phase, attributes, bot, sdk } = event;
    const entry: unknown[] = [this.#numberOf(kind), this.#numberOf(source), unit];
    entry.push(this.#receivedAtMs - timeMs, this.#numberOf(experiment), this.#numberOf(variant));
    entry.push(phase ?? null, attributes ?? null, bot === true ? 1 : null);
    entry.push(sdk === undefined ? null : this.#numberOf(sdk));
    while (entry.at(-1) === null) entry.pop();
    return entry;
  }

  #outcome({ kind, source, unit, timeMs, name, id, value, properties }: OutcomeEvent): unknown[] {
    const entry: unknown[] = [this.#numberOf(kind), this.#numberOf(source), unit];
    entry.push(this.#receivedAtMs - timeMs, this.#numberOf(name), id);
    if (value !== undefined || properties !== undefined) entry.push(value ?? null);
    if (properties !== undefined) entry.push(properties);
    return entry;
  }

  #numberOf(name: string): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const number = this.#names.size;
    this.#names.set(name, number);
    this.#room -= utf8Length(JSON.stringify(name)) + (number > 0 ? 1 : 0);
    return number;
  }
}
