/**
 * Which flags of a snapshot change pages, compiled once per published version: address rules, edits with their HTML sanitised, selectors
 * tried. A flag with anything wrong in any of its variants changes no page at all, so that its variants go on meeting the same places.
 */

import { isElementEdit, readPageEdits } from "../contracts/page-edits.ts";
import type { Edit } from "../contracts/page-edits.ts";
import type { Flag } from "../core/index.ts";
import { isRecord } from "../core/values.ts";
import type { Published } from "../stores/snapshot-store.ts";
import type { Notes } from "./notes.ts";
import { sanitised } from "./sanitise.ts";
import { urlMatcher } from "./url-rules.ts";

interface CompiledPages {
  matches: (url: URL) => boolean;
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

const compiled = new WeakMap<Published, readonly EditingFlag[]>();

/** The flags that change the page at this address, in the snapshot's order. */
export function flagsAt(url: URL, published: Published, notes: Notes): PageFlag[] {
  const flags = compiled.get(published) ?? compileAll(published, notes);
  compiled.set(published, flags);
  return flags.flatMap(({ flag, pages }) => {
    const edits = new Map<string, readonly Edit[]>();
    for (const [variant, all] of pages) {
      const here = all.filter(({ matches }) => matches(url)).flatMap((each) => each.edits);
      if (here.length > 0) edits.set(variant, here);
    }
    return edits.size === 0 ? [] : [{ flag, edits }];
  });
}

function compileAll({ compiled: { flags } }: Published, notes: Notes): EditingFlag[] {
  return [...flags.values()].flatMap((flag) => {
    try {
      const pages = compileFlag(flag);
      return pages.size === 0 ? [] : [{ flag: flag.key, pages }];
    } catch (error) {
      notes.note("invalid-edits", `${flag.key}: ${String(error)}`);
      return [];
    }
  });
}

/** Throws when something is wrong. */
function compileFlag({ variants }: Flag): EditingFlag["pages"] {
  const pages = new Map<string, CompiledPages[]>();
  for (const { key, value } of variants) {
    if (!isRecord(value) || !Object.hasOwn(value, "pageEdits")) continue;
    const read = readPageEdits(value["pageEdits"]);
    if (!read.ok) throw new Error(`${key}${read.errors[0]?.pointer}: ${read.errors[0]?.detail}`);
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
  // Throws on a selector that does not parse.
  if (isElementEdit(edit)) new HTMLRewriter().on(edit.selector, {});
  return (edit.action === "html" || edit.action === "insert") && edit.trusted !== true
    ? { ...edit, html: sanitised(edit.html) }
    : edit;
}
