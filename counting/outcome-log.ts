/**
 * A unit's recent outcomes in the order of arrival. What is stored of them is kept as text and handed on as it was:
 * one more outcome is written behind the others, and none of them anew.
 */

import { hash32 } from "../core/index.ts";
import { PackedReader, packBits, packNatural, packNumber } from "./packed-text.ts";

export interface Outcome {
  /** Of its id: see `outcomeHash`. */
  hash: number;
  /** Of its name, in the shard's dictionary. */
  nameId: number;
  timeMs: number;
  value: number;
  /** From its time until it was received, in whole minutes. */
  delayMinutes: number;
}

/** 53 bits of an outcome's id: two hashes, because one of 32 bits would lose an outcome in every hundred million. */
export function outcomeHash(id: string): number {
  return hash32(id) * 0x200000 + (hash32(`\u001f${id}`) >>> 11);
}

export class OutcomeLog {
  readonly #baseMs: number;
  #outcomes: Outcome[] = [];
  #text: string;

  /** Times are stored relative to `baseMs`. */
  constructor(baseMs: number, text: string) {
    this.#baseMs = baseMs;
    this.#text = text;
    for (const packed = new PackedReader(text, 0); !packed.isAtEnd;) {
      this.#outcomes.push({
        hash: packed.bits(),
        nameId: packed.natural(),
        timeMs: baseMs + packed.number(),
        value: packed.number(),
        delayMinutes: packed.number(),
      });
    }
  }

  get all(): readonly Outcome[] {
    return this.#outcomes;
  }

  /** As it is stored. */
  get text(): string {
    return this.#text;
  }

  has(hash: number): boolean {
    return this.#outcomes.some((known) => known.hash === hash);
  }

  push(outcome: Outcome): void {
    this.#outcomes.push(outcome);
    this.#text += this.#packed(outcome);
  }

  /** Forgets the outcomes from before `floorMs`. */
  dropBefore(floorMs: number): void {
    this.#outcomes = this.#outcomes.filter(({ timeMs }) => timeMs >= floorMs);
    this.#text = this.#outcomes.map((outcome) => this.#packed(outcome)).join("");
  }

  #packed({ hash, nameId, timeMs, value, delayMinutes }: Outcome): string {
    return (
      packBits(hash) +
      packNatural(nameId) +
      packNumber(timeMs - this.#baseMs) +
      packNumber(value) +
      packNumber(delayMinutes)
    );
  }
}
