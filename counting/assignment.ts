/**
 * What many units have in common of an exposure: experiment, phase, variant, dimensions, and whether they are counted.
 * There is one object for equal ones, so that they are compared, stored and found by what they are: their packed text.
 */

import type { DimensionValue } from "./dimensions.ts";
import type { Names } from "./names.ts";
import { PackedReader, packNatural } from "./packed-text.ts";

/** Why a unit is in the population of a phase, or why not. Stored by position: append only. */
const standings = ["counted", "bot", "hot", "earlier-phase", "quarantined"] as const;

export type Standing = (typeof standings)[number];

export interface Assigned {
  experiment: string;
  phase: number;
  variant: string;
  standing: Standing;
  /** The other variant of a quarantined unit. */
  secondVariant?: string;
  /** Of the earliest exposure; none unless counted. */
  dimensions: readonly DimensionValue[];
}

export interface Assignment extends Readonly<Assigned> {
  /** In the numbers of the shard's dictionary: experiment, phase, variant, standing, second variant, dimensions. */
  readonly text: string;
}

export class Assignments {
  readonly #names: Names;
  readonly #known = new Map<string, Assignment>();

  constructor(names: Names) {
    this.#names = names;
  }

  of(assigned: Assigned): Assignment {
    return this.read(this.#packed(assigned));
  }

  /** The one that has this text. */
  read(text: string): Assignment {
    const known = this.#known.get(text);
    if (known) return known;
    const assignment = { ...this.#unpacked(text), text };
    this.#known.set(text, assignment);
    return assignment;
  }

  #packed({ experiment, phase, variant, standing, secondVariant = "", dimensions }: Assigned) {
    const id = (name: string) => packNatural(this.#names.idOf(name));
    let text =
      id(experiment) + packNatural(phase) + id(variant) + packNatural(standings.indexOf(standing));
    if (standing === "quarantined") text += id(secondVariant);
    for (const { dimension, value } of dimensions) text += id(dimension) + this.#packedValue(value);
    return text;
  }

  /** By its number, or as JSON, in which line ends are escaped. */
  #packedValue(value: string): string {
    const id = this.#names.idOfValue(value);
    if (id !== undefined) return packNatural(2 * id);
    const json = JSON.stringify(value);
    return packNatural(2 * json.length + 1) + json;
  }

  #unpacked(text: string): Assigned {
    const packed = new PackedReader(text, 0);
    const name = () => this.#names.nameOf(packed.natural());
    const value = () => {
      const given = packed.natural();
      return given % 2 === 0 ? this.#names.nameOf(given / 2) : parsed(packed.text((given - 1) / 2));
    };
    const [experiment, phase, variant] = [name(), packed.natural(), name()];
    const standing = standings[packed.natural()] ?? "counted";
    const second = standing === "quarantined" ? { secondVariant: name() } : null;
    const dimensions: DimensionValue[] = [];
    while (!packed.isAtEnd) dimensions.push({ dimension: name(), value: value() });
    return { experiment, phase, variant, standing, ...second, dimensions };
  }
}

function parsed(json: string): string {
  return String(JSON.parse(json));
}
