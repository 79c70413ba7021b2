/**
 * What kept pages from being changed, counted in the isolate and told in the log: the first time at once, then at most once a minute
 * with how often it happened since. A page is served whatever is noted.
 */

export type Reason =
  /** Something threw; the page was served as the origin gave it. */
  | "failed"
  /** No configuration in time. */
  | "no-configuration"
  /** The page is not UTF-8, or does not say. */
  | "not-utf-8"
  /** The page is in a content encoding that is not decoded here. */
  | "content-encoding"
  /** The page was edited up to a place where the rewriter could not go on. */
  | "not-further"
  /** A flag's edits cannot be done; none of its variants changes a page. */
  | "invalid-edits"
  /** A flag's edits are too many beside those of other flags at the same address; none of its variants changes a page there. */
  | "too-many-edits"
  /** The page's content security policy forbids an edit. */
  | "forbidden-by-csp"
  /** An edit that is not trusted met an element that could run it as code. */
  | "unsafe-place";

const quietMs = 60_000;

export interface Notes {
  note(reason: Reason, detail?: string): void;
}

/** One per isolate. */
export function pageNotes(nowMs: () => number): Notes {
  const untold = new Map<Reason, { count: number; toldAtMs: number }>();
  return {
    note(reason, detail) {
      const entry = untold.get(reason) ?? { count: 0, toldAtMs: -Infinity };
      untold.set(reason, entry);
      entry.count += 1;
      if (nowMs() - entry.toldAtMs < quietMs) return;
      const { count } = entry;
      const said = detail === undefined ? {} : { detail: detail.slice(0, 300) };
      console.error(JSON.stringify({ event: "page-not-edited", reason, count, ...said }));
      Object.assign(entry, { count: 0, toldAtMs: nowMs() });
    },
  };
}
