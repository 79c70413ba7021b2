/**
 * What a regular expression may cost on the worst text. The engines of all runtimes backtrack, so one careless
 * pattern, met by one hostile attribute, stops a worker. A pattern passes only when it is shown to be harmless:
 *
 * - whatever is repeated can be read in one way only: every next character belongs to one place in it (a
 *   one-unambiguous expression: Brüggemann-Klein & Wood 1998, "One-unambiguous regular languages"), so that nothing
 *   can take exponential time;
 * - what is left, the ways in which a text can be divided between consecutive parts, is multiplied and bounded.
 */
import { LONGEST_SUBJECT } from "./operators.ts";
import { EVERYTHING, readRegex, type CharSet, type Node, type Repeat } from "./regex-syntax.ts";

const LONGEST_PATTERN = 500;

/** Each beginning against each end, in two ways: some hundredths of a second, and only on a text made for it. */
const MOST_STEPS = 2 * LONGEST_SUBJECT ** 2;

/** Characters that a part may read before it fails without being said to scan. */
const FEW = 32;

/** A place in an expression that consumes a character, and all that may come directly after it. */
interface Place {
  set: CharSet;
  follow: CharSet;
}

/** How an expression begins and ends; null when some text can be read in two ways. */
interface Ends {
  nullable: boolean;
  first: Place[];
  last: Place[];
}

function union(places: Place[]): CharSet {
  return places.reduce((set, place) => set | place.set, 0n);
}

function areDisjoint(places: Place[]): boolean {
  let seen = 0n;
  for (const { set } of places) {
    if ((seen & set) !== 0n) return false;
    seen |= set;
  }
  return true;
}

/** Lets `next` come after each of `last`; false when a character could then be read in two ways. */
function link(last: Place[], next: Place[]): boolean {
  const set = union(next);
  return last.every((place) => {
    const unambiguous = (place.follow & set) === 0n;
    place.follow |= set;
    return unambiguous;
  });
}

function endsOf(node: Node): Ends | null {
  switch (node.kind) {
    case "chars": {
      const place = { set: node.set, follow: 0n };
      return { nullable: false, first: [place], last: [place] };
    }
    case "start":
    case "end":
    case "boundary":
      return { nullable: true, first: [], last: [] };
    case "look":
      return null;
    case "sequence":
      return node.items.map(endsOf).reduce(inSequence, { nullable: true, first: [], last: [] });
    case "choice":
      return node.branches.map(endsOf).reduce(asChoice);
    case "repeat":
    default:
      return repeated(endsOf(node.body), node.min, node.max);
  }
}

function inSequence(before: Ends | null, after: Ends | null): Ends | null {
  if (before === null || after === null || !link(before.last, after.first)) return null;
  const first = before.nullable ? [...before.first, ...after.first] : before.first;
  const last = after.nullable ? [...before.last, ...after.last] : after.last;
  const nullable = before.nullable && after.nullable;
  return areDisjoint(first) ? { nullable, first, last } : null;
}

function asChoice(one: Ends | null, other: Ends | null): Ends | null {
  if (one === null || other === null || (one.nullable && other.nullable)) return null;
  const first = [...one.first, ...other.first];
  const nullable = one.nullable || other.nullable;
  return areDisjoint(first) ? { nullable, first, last: [...one.last, ...other.last] } : null;
}

function repeated(body: Ends | null, min: number, max: number): Ends | null {
  if (body === null || max === 0) return body;
  if (max === 1) return body.nullable ? null : { ...body, nullable: min === 0 };
  if (body.nullable || !link(body.last, body.first)) return null;
  return { ...body, nullable: min === 0 };
}

/** What comes after a part: the characters with which it reads more than one, and whether it can fail at all. */
interface Rest {
  first: CharSet;
  canFail: boolean;
}

/**
 * In how many ways a part divides a text of length n: `ways` × n^`degree`. `scans` says that it holds a repetition
 * that divides the text in one way only, and so costs its length, once.
 */
interface Cost {
  degree: number;
  ways: number;
  scans: boolean;
  /** As what comes before the part sees it. */
  rest: Rest;
}

function free(rest: Rest): Cost {
  return { degree: 0, ways: 1, scans: false, rest };
}

/** Null when some repetition in it can read a text in several ways. */
function costOf(node: Node, rest: Rest): Cost | null {
  switch (node.kind) {
    case "chars":
      return free({ first: node.set, canFail: true });
    case "start":
    case "boundary":
      return free({ ...rest, canFail: true });
    case "end":
      return free({ first: 0n, canFail: true });
    case "look": {
      const cost = costOf(node.body, { first: 0n, canFail: true });
      // Where it looks forward it begins to read as its body does; backwards, wherever it stands.
      const first = node.back ? EVERYTHING : (cost?.rest.first ?? 0n) | rest.first;
      return cost && { ...cost, rest: { first, canFail: true } };
    }
    case "sequence":
      return costOfSequence(node.items, rest);
    case "choice":
      return costOfChoice(node.branches, rest);
    case "repeat":
    default:
      if (node.max > 1) return costOfLoop(node, rest);
      return node.min === 1
        ? costOf(node.body, rest)
        : costOfChoice([node.body, { kind: "sequence", items: [] }], rest);
  }
}

function costOfSequence(items: Node[], rest: Rest): Cost | null {
  let total = free(rest);
  for (const item of items.toReversed()) {
    const cost = costOf(item, total.rest);
    if (cost === null) return null;
    total = {
      degree: total.degree + cost.degree,
      ways: total.ways * cost.ways,
      scans: total.scans || cost.scans,
      rest: cost.rest,
    };
  }
  return total;
}

function costOfChoice(branches: Node[], rest: Rest): Cost | null {
  let total: Cost = {
    degree: 0,
    ways: 0,
    scans: false,
    rest: { first: 0n, canFail: rest.canFail },
  };
  for (const branch of branches) {
    const cost = costOf(branch, rest);
    if (cost === null) return null;
    const ambiguous = (total.rest.first & cost.rest.first) !== 0n;
    total = {
      degree: Math.max(total.degree, cost.degree),
      ways: ambiguous ? total.ways + cost.ways : Math.max(total.ways, cost.ways),
      scans: total.scans || cost.scans,
      rest: {
        first: total.rest.first | cost.rest.first,
        canFail: total.rest.canFail || cost.rest.canFail,
      },
    };
  }
  return total;
}

/** No text is read by `(?:)*`, however often. */
function longestLoop({ body, max }: Repeat): number {
  const once = longest(body);
  return once === 0 ? 0 : once * max;
}

/** Of the texts that it reads. */
function longest(node: Node): number {
  switch (node.kind) {
    case "chars":
      return 1;
    case "sequence":
      return node.items.reduce((sum, item) => sum + longest(item), 0);
    case "choice":
      return Math.max(...node.branches.map(longest));
    case "repeat":
      return longestLoop(node);
    case "start":
    case "end":
    case "boundary":
    case "look":
    default:
      return 0;
  }
}

function costOfLoop({ body, min, max }: Repeat, rest: Rest): Cost | null {
  const ends = repeated(endsOf(body), min, max);
  if (ends === null) return null;
  const first = union(ends.first) | (ends.nullable ? rest.first : 0n);
  const before = { first, canFail: rest.canFail || min > 0 };
  // When nothing after it can fail, it is never left and tried again; but it may itself read far before it fails.
  if (!rest.canFail) return { ...free(before), scans: min > 0 && min * longest(body) > FEW };
  const again = ends.last.reduce((set, place) => set | place.follow, 0n);
  if ((again & rest.first) === 0n) return { ...free(before), scans: true };
  return max === Infinity
    ? { ...free(before), degree: 1 }
    : { ...free(before), ways: max - min + 1 };
}

/** Whether every match begins where the text does. */
function isAnchored(node: Node): boolean {
  if (node.kind === "choice") return node.branches.every(isAnchored);
  const first = node.kind === "sequence" ? node.items[0] : node;
  return first?.kind === "start";
}

/** Only parses: engines compile a pattern at its first use, and that alone can take long. */
function syntaxError(pattern: string): string | null {
  try {
    RegExp(pattern);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "invalid regular expression";
  }
}

/** Why a regular expression may not be published; null when it may. */
export function regexHazard(pattern: string, ignoreCase = false): string | null {
  if (pattern.length > LONGEST_PATTERN) return `longer than ${LONGEST_PATTERN} characters`;
  const error = syntaxError(pattern);
  if (error !== null) return error;
  const node = readRegex(pattern, ignoreCase);
  if (node === null) {
    return "uses what cannot be shown to be harmless: a back-reference, or syntax that is not known here";
  }
  const cost = costOf(node, { first: 0n, canFail: false });
  if (cost === null) {
    return "repeats something that can match the same text in several ways, like (a+)+ or (a|ab)*: it may never end";
  }
  const degree = cost.degree + (cost.scans ? 1 : 0) + (isAnchored(node) ? 0 : 1);
  return LONGEST_SUBJECT ** degree * cost.ways <= MOST_STEPS
    ? null
    : "has too many repetitions that can match the same text: begin it with ^, drop a leading .*, or say what .* must not contain, like [^/]*";
}
