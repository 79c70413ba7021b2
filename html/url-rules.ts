/**
 * Where edits apply. `exact` and `glob` (`*` is any run of characters) look at the path when they begin with "/", else at scheme, host
 * and path; with a "?" in them at the query too. `regex` looks at the whole address without its fragment. Takes linear time for the
 * former, and for a regular expression what publishing has allowed.
 */

import type { UrlRule } from "../contracts/page-edits.ts";

/** Publishing judges regular expressions by subjects of this length (core/operators.ts). */
const longestSubject = 4_096;

/** What rules look at, of one request: made once, because reading a URL's parts costs more than comparing them. */
export interface Address {
  path: string;
  pathAndQuery: string;
  /** Scheme, host and path. */
  whole: string;
  wholeAndQuery: string;
}

export function addressOf({ origin, pathname, search }: URL): Address {
  return {
    path: pathname,
    pathAndQuery: pathname + search,
    whole: origin + pathname,
    wholeAndQuery: origin + pathname + search,
  };
}

type Matcher = (address: Address) => boolean;

/** Throws on a regular expression that is none. */
export function urlMatcher(rules: readonly UrlRule[]): Matcher {
  const matchers = rules.map(matcherOf);
  return (address) => matchers.some((matches) => matches(address));
}

function matcherOf(rule: UrlRule): Matcher {
  if ("regex" in rule) {
    const pattern = new RegExp(rule.regex);
    return ({ wholeAndQuery }) =>
      wholeAndQuery.length <= longestSubject && pattern.test(wholeAndQuery);
  }
  const written = normalised("exact" in rule ? rule.exact : rule.glob);
  const part = partOf(written);
  if ("exact" in rule) return (address) => address[part] === written;
  const parts = written.split("*");
  return (address) => fits(address[part], parts);
}

function partOf(written: string): keyof Address {
  const hasQuery = written.includes("?");
  if (written.startsWith("/")) return hasQuery ? "pathAndQuery" : "path";
  return hasQuery ? "wholeAndQuery" : "whole";
}

/** As a URL has it: with what must be percent-encoded encoded. */
function normalised(written: string): string {
  const isPath = written.startsWith("/");
  if (!isPath && !/^https?:/.test(written)) return written;
  const url = isPath ? `http://path${written}` : written;
  if (!URL.canParse(url)) return written;
  const { origin, pathname, search } = new URL(url);
  return (isPath ? pathname : origin + pathname) + search;
}

/** Whether the parts occur in this order, the first at the start, the last at the end. */
function fits(text: string, parts: readonly string[]): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
