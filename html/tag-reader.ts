/**
 * Finds where a tag or comment ends, byte by byte, as browsers do (HTML Standard, 13.2.5): a ">" in a quoted attribute does not end it.
 * Knows in which elements markup is text, and where the rewriter would refuse to go on.
 */

import { namedBy, nesting } from "./nesting.ts";
import { textAmbiguity } from "./page-ambiguity.ts";

const [lt, gt, slash, equals, bang, question, dash, doubleQuote, singleQuote] = [
  0x3c, 0x3e, 0x2f, 0x3d, 0x21, 0x3f, 0x2d, 0x22, 0x27,
] as const;
const shortestName = 3;
const longestName = 10;
/** The rewriter's 3 MiB hold 16,384 beside the elements that are open, and it ends a page with an error beyond. */
const mostAttributes = 8_000;

export type Outcome =
  /** It ends with this byte. */
  | "ended"
  /** It was none, and the byte is text. */
  | "text"
  /** It cannot be given to the rewriter. */
  | "refused";

type State = (byte: number) => State | Outcome;

export interface TagReader {
  /** The index after the next "<" that may begin one, or -1. */
  open(chunk: Uint8Array, at: number): number;
  /** Reads on in what was opened. `at` is where it stopped: after its end, or at the end of the chunk when `outcome` is null. */
  read(chunk: Uint8Array, at: number): { outcome: Outcome | null; at: number };
  /** In a script, say. */
  isInText(): boolean;
}

export function tagReader(): TagReader {
  const ambiguity = textAmbiguity();
  const elements = nesting();
  let isEndTag = false;
  /** Of names that decide nothing the letters are not kept. */
  let isOfInterest = false;
  let name = "";
  /** Of a tag; 0 of what is none. */
  let hash = 0;
  /** By "/>", in a picture or formula, where that ends an element. */
  let isClosed = false;
  let isInForeign = false;
  let attributes = 0;
  let quote = 0;
  /** How many dashes there were before, and whether "!" after them: what a comment may end with. */
  let dashes = 0;
  let isBang = false;
  let isDoubled = false;
  /** In which element markup is text. Null: in none. */
  let textOf: string | null = null;

  const nameBegin: State = (byte) => {
    isInForeign = ambiguity.isForeign();
    attributes = 0;
    name = "";
    hash = 0;
    isOfInterest = ambiguity.mayMatter(byte | 0x20, shortestName);
    return tagName(byte);
  };
  const tagOpen: State = (byte) => {
    hash = 0;
    isEndTag = byte === slash;
    if (isEndTag) return endTagOpen;
    if (textOf === "script" && byte === bang) {
      dashes = 0;
      return scriptEscape;
    }
    if (textOf !== null) return "text";
    if (isLetter(byte)) return nameBegin(byte);
    if (byte === question) return declaration;
    dashes = 0;
    return byte === bang ? declarationOpen : "text";
  };
  const endTagOpen: State = (byte) => {
    if (isLetter(byte)) return nameBegin(byte);
    if (textOf !== null) return "text";
    return declaration(byte);
  };
  const tagName: State = (byte) => {
    if (!endsName(byte)) {
      hash = namedBy(hash, byte);
      if (isOfInterest && name.length < longestName) {
        name += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
      }
      return tagName;
    }
    if (textOf !== null) {
      // Of tags in text only the one that ends it is one.
      if (name !== textOf) return "text";
      textOf = null;
    } else if (!afterName()) return "refused";
    return beforeAttribute(byte);
  };
  /** Of a tag that is none of text. False: the rewriter cannot take it. */
  const afterName = (): boolean => {
    if (name === "") return true;
    if (isEndTag) {
      ambiguity.endTag(name);
      return true;
    }
    const begins = ambiguity.startTag(name);
    if (begins === "text") textOf = name;
    return begins !== "ambiguous";
  };
  const beforeAttribute: State = (byte) => {
    if (byte === gt) return "ended";
    isClosed = byte === slash;
    if (isClosed || isSpace(byte)) return beforeAttribute;
    attributes += 1;
    return attribute;
  };
  const attribute: State = (byte) => {
    if (byte === equals) return beforeValue;
    if (isSpace(byte)) return afterAttribute;
    return byte === gt || byte === slash ? beforeAttribute(byte) : attribute;
  };
  const afterAttribute: State = (byte) => {
    if (byte === equals) return beforeValue;
    return isSpace(byte) ? afterAttribute : beforeAttribute(byte);
  };
  const beforeValue: State = (byte) => {
    if (byte === gt) return "ended";
    if (isSpace(byte)) return beforeValue;
    quote = byte;
    return byte === doubleQuote || byte === singleQuote ? quoted : unquoted;
  };
  const quoted: State = (byte) => (byte === quote ? beforeAttribute : quoted);
  const unquoted: State = (byte) => {
    if (byte === gt) return "ended";
    return isSpace(byte) ? beforeAttribute : unquoted;
  };
  const declarationOpen: State = (byte) => {
    if (byte !== dash) return declaration(byte);
    dashes += 1;
    isBang = false;
    return dashes === 2 ? comment : declarationOpen;
  };
  const declaration: State = (byte) => (byte === gt ? "ended" : declaration);
  const comment: State = (byte) => {
    if (byte === gt && dashes >= 2) return "ended";
    if (byte === bang && dashes >= 2 && !isBang) {
      isBang = true;
      return comment;
    }
    dashes = byte === dash ? (isBang ? 1 : dashes + 1) : 0;
    isBang = false;
    return comment;
  };

  // In a script "<!--" begins, and "-->" ends, text in which "</script>" ends a "<script>" first (13.2.5.17 to 13.2.5.31).
  const scriptEscape: State = (byte) => {
    if (byte !== dash) return "text";
    dashes += 1;
    isDoubled = false;
    return dashes === 2 ? escaped : scriptEscape;
  };
  const escaped: State = (byte) => {
    if (byte === gt && dashes >= 2) return "ended";
    dashes = byte === dash ? dashes + 1 : 0;
    return byte === lt ? escapedOpen : escaped;
  };
  const escapedOpen: State = (byte) => {
    name = "";
    hash = 0;
    isEndTag = byte === slash;
    if (isEndTag) return escapedName;
    return isLetter(byte) ? escapedName(byte) : escaped(byte);
  };
  const escapedName: State = (byte) => {
    if (isLetter(byte) && name.length < longestName) {
      name += String.fromCharCode(byte | 0x20);
      hash = namedBy(hash, byte);
      return escapedName;
    }
    dashes = 0;
    if (name !== "script" || !endsName(byte)) {
      hash = 0;
      return escaped(byte);
    }
    if (isEndTag && !isDoubled) {
      textOf = null;
      return beforeAttribute(byte);
    }
    isDoubled = !isEndTag;
    hash = 0;
    return escaped;
  };

  /** Nearly all tags are in one piece: the same, without a call for every byte. Null, with nothing changed, where it does not end in it. */
  function wholeTag(chunk: Uint8Array, from: number): { outcome: Outcome; at: number } | null {
    isEndTag = chunk[from] === slash;
    const begin = isEndTag ? from + 1 : from;
    const letter = chunk[begin] ?? 0;
    if (!isLetter(letter)) return null;
    hash = namedBy(0, letter);
    let end = begin + 1;
    for (; end < chunk.length && !endsName(chunk[end] ?? 0); end++) {
      hash = namedBy(hash, chunk[end] ?? 0);
    }
    const at = endOfTag(chunk, end);
    if (at === -1) return null;
    // Whether it is "/>" that ends it is told byte by byte, and of how many attributes a long one is.
    if (ambiguity.isForeign() && chunk[at - 2] === slash) return null;
    if (at - end > 2 * mostAttributes) return null;
    name = "";
    if (ambiguity.mayMatter(letter | 0x20, end - begin)) {
      for (const byte of chunk.subarray(begin, Math.min(end, begin + longestName))) {
        name += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
      }
    }
    isClosed = false;
    attributes = 0;
    return { outcome: afterName() ? ended() : "refused", at };
  }

  function ended(): Outcome {
    if (hash === 0) return "ended";
    if (isEndTag) elements.end(hash);
    else if (attributes > mostAttributes) return "refused";
    else if (!(isClosed && isInForeign && ambiguity.isForeign()) && !elements.begin(hash))
      return "refused";
    return "ended";
  }

  let state: State = tagOpen;
  return {
    isInText: () => textOf !== null,
    open(chunk, at) {
      if (textOf === "plaintext") return -1;
      const found = indexNear(chunk, lt, at);
      state = tagOpen;
      return found === -1 ? -1 : found + 1;
    },
    read(chunk, from) {
      if (state === tagOpen && textOf === null) {
        const whole = wholeTag(chunk, from);
        if (whole !== null) return whole;
      }
      for (let at = from; at < chunk.length; at++) {
        const next = state(chunk[at] ?? 0);
        if (next === "text") return { outcome: next, at };
        if (typeof next === "string") {
          return { outcome: next === "ended" ? ended() : next, at: at + 1 };
        }
        state = next;
      }
      return { outcome: null, at: chunk.length };
    },
  };
}

/** After the ">" that ends a tag whose name ends at `from`; -1 where it does not end in the chunk. */
function endOfTag(chunk: Uint8Array, from: number): number {
  const { length } = chunk;
  let at = from;
  while (at < length) {
    let byte = chunk[at] ?? 0;
    if (byte === gt) return at + 1;
    at += 1;
    if (byte === slash || isSpace(byte)) continue;
    // An attribute's name, of which the first character may be any.
    while (at < length && !endsAttribute((byte = chunk[at] ?? 0))) at += 1;
    while (at < length && isSpace((byte = chunk[at] ?? 0))) at += 1;
    if (byte !== equals) continue;
    at += 1;
    while (at < length && isSpace((byte = chunk[at] ?? 0))) at += 1;
    if (byte === doubleQuote || byte === singleQuote) {
      const end = indexNear(chunk, byte, at + 1);
      if (end === -1) return -1;
      at = end + 1;
    } else while (at < length && (byte = chunk[at] ?? 0) !== gt && !isSpace(byte)) at += 1;
  }
  return -1;
}

/** As `indexOf`, whose call costs more than the few bytes that it usually looks at. */
function indexNear(chunk: Uint8Array, byte: number, from: number): number {
  const near = Math.min(from + 64, chunk.length);
  for (let at = from; at < near; at++) if (chunk[at] === byte) return at;
  return near === chunk.length ? -1 : chunk.indexOf(byte, near);
}

function endsName(byte: number): boolean {
  return byte === gt || byte === slash || isSpace(byte);
}

function endsAttribute(byte: number): boolean {
  return byte === equals || endsName(byte);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
