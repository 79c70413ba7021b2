/**
 * Where markup is text, such as in scripts, and where HTMLRewriter refuses to say: a tag that begins such text in a select or a frameset
 * may be one or be ignored, and what follows be script or not. It ends the page with an error there. Names are in lower case.
 */

const texts = new Set(
  "iframe noembed noframes noscript plaintext script style textarea title xmp".split(" "),
);
const endSelect = new Set("select textarea input keygen".split(" "));
/** HTML elements that end a picture or formula that was left open. */
const endForeign = new Set(
  (
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre ruby " +
    "s small span strong strike sub sup table tt u ul var"
  ).split(" "),
);

export interface TextAmbiguity {
  startTag(name: string): "markup" | "text" | "ambiguous";
  endTag(name: string): void;
  /** In a picture or formula, where "/>" ends an element at once. */
  isForeign(): boolean;
  /** Whether a name that begins with this letter, and is as long, may have a meaning here. */
  mayMatter(letter: number, length: number): boolean;
}

const names = [...texts, ...endSelect, "template", "frameset", "svg", "math"];
const shortest = Math.min(...names.map(({ length }) => length));
/** By letter. */
const firstLetters = new Uint8Array(128);
for (const name of names) firstLetters[name.charCodeAt(0)] = 1;

export function textAmbiguity(): TextAmbiguity {
  let place: "page" | "select" | "frameset" = "page";
  /** In a select. */
  let templates = 0;
  let foreign: string | null = null;

  const isAmbiguous = (name: string): boolean => {
    if (place === "page") {
      if (name === "select" || name === "frameset") place = name;
      return false;
    }
    if (place === "frameset") return name !== "noframes" && texts.has(name);
    if (templates === 0 && endSelect.has(name)) {
      place = "page";
      return false;
    }
    if (name === "template") templates += 1;
    return texts.has(name) && !(name === "script" && templates === 0);
  };
  return {
    startTag(name) {
      if (isAmbiguous(name)) return "ambiguous";
      if (foreign === null && (name === "svg" || name === "math")) foreign = name;
      else if (endForeign.has(name)) foreign = null;
      return foreign === null && texts.has(name) ? "text" : "markup";
    },
    endTag(name) {
      if (name === foreign || name === "p" || name === "br") foreign = null;
      if (place !== "select") return;
      if (name === "template" && templates > 0) templates -= 1;
      else if (name === "select" && templates === 0) place = "page";
    },
    isForeign: () => foreign !== null,
    mayMatter: (letter, length) =>
      foreign !== null || (length >= shortest && firstLetters[letter] === 1),
  };
}
