/**
 * The numbers that a shard's documents and keys put in the place of names that stand in every one of them: of experiments, variants,
 * dimensions, metrics and outcomes in an environment, and of environments with their unit kinds. A name keeps its number for good.
 */

import { Assignments } from "./assignment.ts";
import type { Assignment } from "./assignment.ts";
import type { UnitIdentity } from "./unit.ts";

/** Names that there may be before values of dimensions, and before assignments, are written out. */
const valuesUpTo = 2_000;
const assignmentsUpTo = 1_000;

export class Names {
  readonly #names: string[];
  readonly #ids: Map<string, number>;
  #known: number;
  /** Those that were met in these names. */
  readonly assignments = new Assignments(this);

  /** By number. */
  constructor(known: readonly string[]) {
    this.#names = [...known];
    this.#ids = new Map(known.map((name, id) => [name, id]));
    this.#known = known.length;
  }

  /** The next free number for a new name. */
  idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#names.push(name) - 1;
    this.#ids.set(name, id);
    return id;
  }

  /** Undefined for a new value when there are many names: free text must not fill the dictionary. */
  idOfValue(value: string): number | undefined {
    return this.#names.length < valuesUpTo ? this.idOf(value) : this.#ids.get(value);
  }

  /** Of its text, which is a name, too: most units share theirs with many. Undefined as for a value. */
  idOfAssignment({ text }: Assignment): number | undefined {
    return this.#names.length < assignmentsUpTo ? this.idOf(text) : this.#ids.get(text);
  }

  nameOf(id: number): string {
    const name = this.#names[id];
    if (name === undefined) throw new RangeError(`no name has the number ${id}`);
    return name;
  }

  /** What was added is stored from now on. */
  saved(): void {
    this.#known = this.#names.length;
  }

  /** Names that were not stored before, with their numbers. */
  added(): [id: number, name: string][] {
    return this.#names.slice(this.#known).map((name, i) => [this.#known + i, name]);
  }
}

/** What `Dictionary` knows of a shard: names by environment, those of environments with their kinds under "". */
export type KnownNames = ReadonlyMap<string, readonly string[]>;

export interface AddedName {
  environment: string;
  id: number;
  name: string;
}

const separator = "\u001f";

export class Dictionary {
  readonly #names: Map<string, Names>;

  constructor(known: KnownNames) {
    this.#names = new Map(
      [...known].map(([environment, names]) => [environment, new Names(names)]),
    );
  }

  of(environment: string): Names {
    let names = this.#names.get(environment);
    if (names === undefined) {
      names = new Names([]);
      this.#names.set(environment, names);
    }
    return names;
  }

  /** What the keys of the kind's units begin with. */
  keyPrefix(environment: string, kind: UnitIdentity["kind"]): string {
    return `${this.of("").idOf(environment + separator + kind)}:`;
  }

  environmentOf(unitKey: string): string {
    const [environment = ""] = this.of("").nameOf(Number.parseInt(unitKey, 10)).split(separator);
    return environment;
  }

  saved(): void {
    for (const names of this.#names.values()) names.saved();
  }

  added(): AddedName[] {
    return [...this.#names].flatMap(([environment, names]) =>
      names.added().map(([id, name]) => ({ environment, id, name })),
    );
  }
}
