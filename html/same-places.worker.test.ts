/** Control and treatment are exposed by the same pages: whether an edit is made or only looked for, it meets the same. */
import { expect, test } from "vitest";
import { rewritten } from "../test/worker-rewriting.ts";
import { seededRandom } from "../test/seeded-random.ts";

interface Edit {
  action: string;
  [field: string]: unknown;
}

const tokens = (
  "<p>|</p>|<div>|</div>|<ul>|</ul>|<li>|</li>|<b>|</b>|<table>|<tr>|<td>|</td>|</table>|<svg>|</svg>|<title>|</title>|<![CDATA[x<p class=a>]]>|" +
  "<script>if(a<b)'<p class=a>'</script>|<style>p{}</style>|<textarea>|</textarea>|<select>|<option>|</select>|<xmp>|</xmp>|<template>|" +
  "</template>|<noscript>|</noscript>|<br>|<img src='>'>|<!-- c -->|<dl>|<dt>|<dd>|</dl>|<iframe>|</iframe>|<frameset>|</frameset>|<head>|" +
  "</head>|<body>|</body>|<h1>|</h1>|NEW|text|&amp;|é|<path/>|<math>|</math>|<a href=x>|</a>|<button>|</button>"
).split("|");

const edits: Edit[] = [
  { action: "text", text: "NEW" },
  { action: "html", html: "NEW" },
  { action: "html", html: "<b>NEW</b>" },
  { action: "remove" },
  { action: "insert", position: "append", html: "<i>x</i>" },
  { action: "insert", position: "after", html: "<i>x</i>" },
  { action: "insert", position: "before", html: "<i>x</i>" },
  { action: "class", add: ["a"] },
  { action: "class", add: ["b"] },
  { action: "class", remove: ["c"] },
  { action: "attribute", name: "title", value: "x" },
];
const headEdits: Edit[] = [
  { action: "title", text: "NEW" },
  { action: "meta", name: "x", content: "x" },
];

test("on 1,500 odd pages, cut anywhere, what is served meets what is looked for, and nothing fails (seed 31)", async () => {
  const random = seededRandom(31);
  const below = (n: number) => Math.floor(random() * n);
  const oneOf = (list: readonly Edit[]): Edit => list[below(list.length)] ?? { action: "remove" };
  const counts = { met: 0, changed: 0 };
  for (let n = 0; n < 1_500; n++) {
    const page = Array.from({ length: 4 + below(12) }, () => {
      const token = tokens[below(tokens.length)] ?? "";
      return below(4) === 0 ? token.replace(/^<[a-z][a-z\d]*/, "$& class=a") : token;
    }).join("");
    const some = Array.from({ length: 1 + below(2) }, () => ({
      selector: below(2) === 0 ? ".a" : "p, [class=a], li",
      ...oneOf(edits),
    }));
    const all = below(4) === 0 ? [...some, oneOf(headEdits)] : some;
    const cut = below(page.length);
    const chunks = [page.slice(0, cut), page.slice(cut)].filter(Boolean);
    const given = { bootstrap: below(4) === 0 ? "<script></script>" : null };
    const served = await rewritten(chunks, { ...given, served: all });
    const looked = await rewritten(chunks, { ...given, other: all });
    const failures = served.noted.filter((reason) => reason === "failed");
    const { met } = looked;
    expect({ page, all, met: served.met, failures }).toEqual({ page, all, met, failures: [] });
    if (given.bootstrap === null && looked.text !== page) expect(looked.text).toBe(page);
    // What is not met is not changed either, and what is met is; the same text is written anew.
    const isText = all.some((edit) => /^(?:text|html|title)$/.test(edit.action));
    if (!served.met && given.bootstrap === null && !isText) expect(served.text).toBe(page);
    if (served.met && !isText) expect(served.text).not.toBe(page);
    if (served.met) counts.met += 1;
    if (served.text !== page) counts.changed += 1;
  }
  expect(counts.met).toBeGreaterThan(500);
  expect(counts.changed).toBeGreaterThan(500);
});
