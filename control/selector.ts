/**
 * The CSS selectors that can be matched while a page streams by: what comes before decides, nothing that comes after. Accepts no
 * selector that the edge's rewriter refuses (held against it in html/selectors.worker.test.ts).
 */

const space = String.raw`[ \t\r\n\f]`;
/** An escape is a backslash before anything but a hexadecimal digit: ".md\:flex". */
const escaped = String.raw`\\[^\n\r\f\da-fA-F]`;
const start = String.raw`(?:[a-zA-Z_]|[^\0-\x7f]|${escaped})`;
const part = String.raw`(?:[\w-]|[^\0-\x7f]|${escaped})`;
const name = `-?${start}${part}*`;
const quoted = String.raw`"[^"\\\n\r\f]*"|'[^'\\\n\r\f]*'`;
const attribute = String.raw`\[${space}*${name}${space}*(?:[~|^$*]?=${space}*(?:${name}|${quoted})${space}*(?:[is]${space}*)?)?\]`;
const nth = String.raw`(?:even|odd|[+-]?\d{1,6}|[+-]?\d{0,6}n(?:${space}*[+-]${space}*\d{1,6})?)`;
const position = String.raw`:(?:first-child|first-of-type|nth-(?:child|of-type)\(${space}*${nth}${space}*\))`;
const simple = String.raw`[#.]${name}|${attribute}|${position}`;
/** No combinator inside. */
const plain = String.raw`(?:(?:\*|${name})(?:${simple})*|(?:${simple})+)`;
const negation = String.raw`:not\(${space}*${plain}(?:${space}*,${space}*${plain})*${space}*\)`;
const compound = String.raw`(?:(?:\*|${name})(?:${simple}|${negation})*|(?:${simple}|${negation})+)`;
const complex = String.raw`${compound}(?:${space}*>${space}*${compound}|${space}+${compound})*`;
const list = new RegExp(`^${space}*${complex}(?:${space}*,${space}*${complex})*${space}*$`);

export function isStreamable(selector: string): boolean {
  return list.test(selector);
}

/** A list's selectors, each as the compounds between its combinators. Of a selector that is streamable. */
export function compoundsOf(selector: string): string[][] {
  const parts: string[][] = [];
  let compounds: string[] = [];
  let compound = "";
  let depth = 0;
  const end = () => {
    if (compound !== "") compounds.push(compound);
    compound = "";
  };
  for (const piece of selector.match(/\\[^]|"[^"]*"|'[^']*'|[^]/g) ?? []) {
    if (piece === "(" || piece === "[") depth += 1;
    if (piece === ")" || piece === "]") depth -= 1;
    if (depth > 0 || !/^[\s>,]$/.test(piece)) compound += piece;
    else {
      end();
      if (piece === ",") parts.push(compounds);
      if (piece === ",") compounds = [];
    }
  }
  end();
  return [...parts, compounds];
}

/** The element's name that a compound asks for, in lower case. */
export function typeOf(compound: string): string | null {
  return /^[a-z][\w-]*(?=$|[#.:[])/i.exec(compound)?.[0].toLowerCase() ?? null;
}
