/**
 * The structure of a regular expression, enough of it to judge what it may cost (`regexHazard`).
 * Reads what `new RegExp(pattern)` accepts; anything that it does not follow is null, never a guess.
 * All characters beyond ASCII count as one, so that sets of characters are only ever too large.
 */

/** Bit n stands for character n, bit 128 for everything beyond ASCII. */
export type CharSet = bigint;

export type Node =
  | { kind: "chars"; set: CharSet }
  /** `^`, or another test of the place that consumes nothing. */
  | { kind: "start" | "end" | "boundary" }
  /** `back`: a lookbehind. */
  | { kind: "look"; body: Node; back: boolean }
  | { kind: "sequence"; items: Node[] }
  | { kind: "choice"; branches: Node[] }
  | Repeat;

export interface Repeat {
  kind: "repeat";
  body: Node;
  min: number;
  max: number;
}

const OTHER = 128;

function between(from: number, to: number): CharSet {
  const low = BigInt(Math.min(from, OTHER));
  const high = BigInt(Math.min(to, OTHER));
  return (1n << (high + 1n)) - (1n << low);
}

export const EVERYTHING: CharSet = between(0, OTHER);

function bothCases(set: CharSet): CharSet {
  const upper = between(65, 90);
  const lower = between(97, 122);
  return set | ((set & upper) << 32n) | ((set & lower) >> 32n);
}

function except(set: CharSet): CharSet {
  return (between(0, OTHER) ^ set) | between(OTHER, OTHER);
}

/** The sets that a backslash and a letter stand for. */
function classOf(letter: string): CharSet | undefined {
  const digits = between(48, 57);
  const word = digits | between(65, 90) | between(97, 122) | between(95, 95);
  const space = between(9, 13) | between(32, 32) | between(OTHER, OTHER);
  switch (letter) {
    case "d":
      return digits;
    case "D":
      return except(digits);
    case "w":
      return word;
    case "W":
      return except(word);
    case "s":
      return space;
    case "S":
      return except(space);
    default:
      return undefined;
  }
}

const controls = new Map([
  ["t", 9],
  ["n", 10],
  ["v", 11],
  ["f", 12],
  ["r", 13],
  ["0", 0],
]);

class Reader {
  readonly #pattern: string;
  readonly #ignoreCase: boolean;
  #at = 0;
  /** False once something was met that is not followed here. */
  readable = true;

  constructor(pattern: string, ignoreCase: boolean) {
    this.#pattern = pattern;
    this.#ignoreCase = ignoreCase;
  }

  get done(): boolean {
    return this.#at >= this.#pattern.length;
  }

  peek(): string {
    return this.#pattern.charAt(this.#at);
  }

  /** The next character; NUL after the last, which is met only once reading was given up. */
  next(): string {
    return this.#pattern.charAt(this.#at++) || "\0";
  }

  /** Takes what the (sticky) expression matches here. */
  take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#pattern);
    if (match !== null) this.#at = expression.lastIndex;
    return match;
  }

  chars(set: CharSet): Node {
    return { kind: "chars", set: this.folded(set) };
  }

  folded(set: CharSet): CharSet {
    return this.#ignoreCase ? bothCases(set) : set;
  }

  giveUp(): void {
    this.readable = false;
    this.#at = this.#pattern.length;
  }
}

function readChoice(reader: Reader): Node {
  const first = readSequence(reader);
  if (reader.peek() !== "|") return first;
  const branches = [first];
  while (reader.take(/\|/y) !== null) branches.push(readSequence(reader));
  return { kind: "choice", branches };
}

function readSequence(reader: Reader): Node {
  const items: Node[] = [];
  while (!reader.done && reader.peek() !== "|" && reader.peek() !== ")") {
    items.push(readQuantified(reader));
  }
  return { kind: "sequence", items };
}

function readQuantified(reader: Reader): Node {
  const body = readAtom(reader);
  const quantifier = reader.take(/(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y);
  if (quantifier === null) return body;
  const [, sign, from, comma, to] = quantifier;
  if (sign !== undefined) {
    const max = sign === "?" ? 1 : Infinity;
    return { kind: "repeat", body, min: sign === "+" ? 1 : 0, max };
  }
  const min = Number(from);
  const most = to === "" ? Infinity : Number(to);
  return { kind: "repeat", body, min, max: comma === undefined ? min : most };
}

function readAtom(reader: Reader): Node {
  const group = reader.take(/\((?:\?(?::|(<?[=!])|<\w+>)|(?!\?))/y);
  if (group !== null) {
    const body = readChoice(reader);
    if (reader.next() !== ")") reader.giveUp();
    const look = group[1];
    return look === undefined ? body : { kind: "look", body, back: look.startsWith("<") };
  }
  if (reader.take(/\\[bB]/y) !== null) return { kind: "boundary" };
  const character = reader.next();
  switch (character) {
    case "^":
      return { kind: "start" };
    case "$":
      return { kind: "end" };
    case ".":
      return reader.chars(except(between(10, 10) | between(13, 13)));
    case "[":
      return { kind: "chars", set: readClass(reader) };
    case "\\":
      return reader.chars(setOf(readEscape(reader)));
    case "(":
      reader.giveUp();
      return { kind: "boundary" };
    default:
      return reader.chars(setOf(character.charCodeAt(0)));
  }
}

/** What an escape or one item of a class stands for: a character's code, or a set. */
type Item = number | CharSet;

function setOf(item: Item): CharSet {
  return typeof item === "number" ? between(item, item) : item;
}

/** After the backslash. References to groups are not followed. */
function readEscape(reader: Reader): Item {
  const hex = reader.take(/x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})/y);
  if (hex !== null) return Number.parseInt(hex[1] ?? hex[2] ?? "", 16);
  if (reader.take(/[1-9kcpPxu]|0\d/y) !== null) reader.giveUp();
  const letter = reader.next();
  return classOf(letter) ?? controls.get(letter) ?? letter.charCodeAt(0);
}

function readClassItem(reader: Reader): Item {
  if (reader.take(/\\b/y) !== null) return 8;
  return reader.take(/\\/y) === null ? reader.next().charCodeAt(0) : readEscape(reader);
}

function readClass(reader: Reader): CharSet {
  const negated = reader.take(/\^/y) !== null;
  let set = 0n;
  while (!reader.done && reader.peek() !== "]") {
    const from = readClassItem(reader);
    set |= setOf(from);
    if (reader.take(/-(?!\])/y) === null) continue;
    const to = readClassItem(reader);
    // With a set at one end the dash is a character like any other.
    set |=
      typeof from === "number" && typeof to === "number"
        ? between(from, to)
        : setOf(to) | between(45, 45);
  }
  reader.next();
  return negated ? except(reader.folded(set)) : reader.folded(set);
}

/** The structure of a pattern that `new RegExp` accepts, or null when it holds something not followed here. */
export function readRegex(pattern: string, ignoreCase: boolean): Node | null {
  const reader = new Reader(pattern, ignoreCase);
  const node = readChoice(reader);
  return reader.readable && reader.done ? node : null;
}
