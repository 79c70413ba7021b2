/**
 * Where edits apply. `exact` and `glob` (`*` is any run of characters) look at the path when they begin with "/", else at scheme, host
 * and path; with a "?" in them at the query too. `regex` looks at the whole address without its fragment. Takes linear time for the
 * former, and for a regular expression what publishing has allowed.
 */

import type { UrlRule } from "../contracts/page-edits.ts";

/** Publishing judges regular expressions by subjects of this length (core/operators.ts). */
const longestSubject = 4_096;

type Matcher = (url: URL) => boolean;

/** Throws on a regular expression that is none. */
export function urlMatcher(rules: readonly UrlRule[]): Matcher {
  const matchers = rules.map(matcherOf);
  return (url) => matchers.some((matches) => matches(url));
}

function matcherOf(rule: UrlRule): Matcher {
  if ("regex" in rule) {
    const pattern = new RegExp(rule.regex);
    return ({ origin, pathname, search }) => {
      const subject = origin + pathname + search;
      return subject.length <= longestSubject && pattern.test(subject);
    };
  }
  const written = normalised("exact" in rule ? rule.exact : rule.glob);
  const subjectOf = subject(written);
  if ("exact" in rule) return (url) => subjectOf(url) === written;
  const parts = written.split("*");
  return (url) => fits(subjectOf(url), parts);
}

function subject(written: string): (url: URL) => string {
  const hasQuery = written.includes("?");
  const isPath = written.startsWith("/");
  return ({ origin, pathname, search }) =>
    (isPath ? pathname : origin + pathname) + (hasQuery ? search : "");
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
