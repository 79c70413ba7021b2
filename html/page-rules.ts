/**
 * Which flags of a snapshot change pages, compiled once per published version: address rules, edits with their HTML sanitised, selectors
 * tried. A flag with anything wrong in any of its variants changes no page at all, so that its variants go on meeting the same places.
 */

import { LRUCache } from "lru-cache";
import { isElementEdit, readPageEdits } from "../contracts/page-edits.ts";
import type { Edit } from "../contracts/page-edits.ts";
import type { Flag } from "../core/index.ts";
import { regexHazard } from "../core/regex-hazard.ts";
import { isRecord } from "../core/values.ts";
import type { Published } from "../stores/snapshot-store.ts";

import type { Notes } from "./notes.ts";
import { sanitised } from "./sanitise.ts";
import { childrenOf, descendantsOf } from "./selector-parts.ts";
import { addressOf, urlMatcher } from "./url-rules.ts";
import type { Address } from "./url-rules.ts";

interface CompiledPages {
  matches: (address: Address) => boolean;
  edits: readonly Edit[];
}

interface EditingFlag {
  flag: string;
  /** By variant; those without edits are not there. */
  pages: ReadonlyMap<string, readonly CompiledPages[]>;
}

/** What a flag's variants do to one page: at least one of them something. */
export interface PageFlag {
  flag: string;
  edits: ReadonlyMap<string, readonly Edit[]>;
}

type Pages = EditingFlag["pages"];

interface Compiled {
  flags: readonly EditingFlag[];
  /** What was found at an address, for the next visitor: thousands of flags take a millisecond. */
  found: LRUCache<string, PageFlag[]>;
}

const mostAddresses = 1_000;
/** Every one is looked for on every element: these may cost a large page a tenth of a second, ten times as many cost it seconds. */
const mostEdits = 1_000;

const compiled = new WeakMap<Published, Compiled>();
/** By what a flag's variants say, so that a new version of the snapshot costs only what has changed in it; or why they cannot be used. */
const known = new LRUCache<string, Pages | Error>({
  maxSize: 8_000_000,
  sizeCalculation: (_pages, text) => text.length,
});

/** The flags that change the page at this address, in the snapshot's order: as many as have 1,000 edits together, for every visitor. */
export function flagsAt(url: URL, published: Published, notes: Notes): readonly PageFlag[] {
  const { flags, found } = compiled.get(published) ?? compileAll(published, notes);
  const address = addressOf(url);
  const before = found.get(address.wholeAndQuery);
  if (before !== undefined) return before;
  const here: PageFlag[] = [];
  let left = mostEdits;
  for (const { flag, pages } of flags) {
    const edits = editsAt(address, pages);
    if (edits === null) continue;
    const count = [...edits.values()].reduce((sum, { length }) => sum + length, 0);
    if (count > left) notes.note("too-many-edits", flag);
    else {
      here.push({ flag, edits });
      left -= count;
    }
  }
  found.set(address.wholeAndQuery, here);
  return here;
}

/** Null when there are none, which is the rule among thousands of flags. */
function editsAt(address: Address, pages: Pages): Map<string, readonly Edit[]> | null {
  let edits: Map<string, readonly Edit[]> | null = null;
  for (const [variant, all] of pages) {
    for (const each of all) {
      if (!each.matches(address)) continue;
      edits ??= new Map();
      edits.set(variant, [...(edits.get(variant) ?? []), ...each.edits]);
    }
  }
  return edits;
}

function compileAll(published: Published, notes: Notes): Compiled {
  const flags = [...published.compiled.flags.values()].flatMap(({ key, variants }) => {
    if (!variants.some(({ value }) => isRecord(value) && Object.hasOwn(value, "pageEdits"))) {
      return [];
    }
    const text = JSON.stringify(variants);
    const pages = known.get(text) ?? pagesOrError(variants);
    known.set(text, pages);
    if (!(pages instanceof Error)) return [{ flag: key, pages }];
    notes.note("invalid-edits", `${key}: ${pages.message}`);
    return [];
  });
  const made = { flags, found: new LRUCache<string, PageFlag[]>({ max: mostAddresses }) };
  compiled.set(published, made);
  return made;
}

function pagesOrError(variants: Flag["variants"]): Pages | Error {
  try {
    return compileVariants(variants);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Throws when something is wrong. */
function compileVariants(variants: Flag["variants"]): Pages {
  const pages = new Map<string, CompiledPages[]>();
  for (const { key, value } of variants) {
    if (!isRecord(value) || !Object.hasOwn(value, "pageEdits")) continue;
    const read = readPageEdits(value["pageEdits"]);
    if (!read.ok) throw new Error(`${key}${read.errors[0]?.pointer}: ${read.errors[0]?.detail}`);
    const regexes = read.value
      .flatMap(({ urls }) => urls)
      .flatMap((rule) => ("regex" in rule ? rule.regex : []));
    for (const regex of regexes) {
      const hazard = regexHazard(regex);
      if (hazard !== null) throw new Error(`${key}: ${hazard}`);
    }
    pages.set(
      key,
      read.value.map(({ urls, edits }) => ({
        matches: urlMatcher(urls),
        edits: edits.map(ready),
      })),
    );
  }
  return pages;
}

function ready(edit: Edit): Edit {
  if (isElementEdit(edit)) {
    // All throw on a selector that does not parse.
    const { selector } = edit;
    new HTMLRewriter()
      .on(selector, {})
      .on(descendantsOf(selector), {})
      .on(childrenOf(selector), {});
  }
  return (edit.action === "html" || edit.action === "insert") && edit.trusted !== true
    ? { ...edit, html: sanitised(edit.html) }
    : edit;
}
