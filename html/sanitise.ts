/**
 * HTML that a variant inserts without being `trusted`: the elements and attributes below, addresses that only lead somewhere. What could
 * run code, load documents, submit forms or restyle the page is left out; its text stays, that of scripts and styles goes. Every element
 * ends within it, and it ends none of the page's. Done once per compiled configuration.
 */

import xss from "xss";
import type { IFilterXSSOptions } from "xss";
import { addresses, codeIn } from "../contracts/page-edits.ts";
import { endedBy } from "./optional-end-tags.ts";
import { readReferences } from "./references.ts";

const attributes: Record<string, string> = {
  a: "href target rel",
  audio: "src controls loop muted preload",
  blockquote: "cite",
  button: "type",
  col: "span",
  colgroup: "span",
  del: "datetime",
  details: "open",
  img: "src alt width height loading decoding",
  ins: "datetime",
  ol: "start reversed",
  source: "src type media",
  td: "colspan rowspan headers",
  th: "colspan rowspan headers scope",
  time: "datetime",
  video: "src controls loop muted playsinline poster preload width height",
};
const plain =
  "abbr address article aside b bdi bdo br caption cite code data dd dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 " +
  "header hr i kbd li main mark nav p picture pre q rp rt ruby s samp section small span strong sub summary sup table tbody tfoot " +
  "thead tr u ul var wbr";
const everywhere = "class dir id lang role title";

const allowed = Object.fromEntries(
  [...plain.split(" "), ...Object.keys(attributes)].map((tag) => [
    tag,
    `${attributes[tag] ?? ""} ${everywhere}`.trim().split(" "),
  ]),
);

const options: IFilterXSSOptions = {
  whiteList: allowed,
  safeAttrValue: (_tag, name, value) => (isSafe(name, value) ? escaped(value) : ""),
  onIgnoreTagAttr: (_tag, name, value) =>
    /^aria-[a-z]+$/.test(name) ? `${name}="${escaped(value)}"` : "",
  stripIgnoreTag: true,
  stripIgnoreTagBody: ["script", "style", "noscript", "template", "title", "textarea"],
  css: false,
};

/** Addresses that lead or load from somewhere, relative ones too, and pictures in themselves. */
function isSafe(name: string, value: string): boolean {
  const { text, isKnown } = readReferences(value);
  if (name === "src" && /^data:image\/(?:avif|gif|jpeg|png|webp);/i.test(text)) return true;
  // What a scheme could be of is known.
  const isReadable = isKnown || !/^[^/?#]*&/.test(text);
  return codeIn(name, text) === null && (isReadable || !addresses.has(name));
}

function escaped(value: string): string {
  return value.replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const voids = new Set(["br", "col", "hr", "img", "source", "wbr"]);

export function sanitised(html: string): string {
  // An end tag for what is left out with its content and never ends: a browser takes all the rest to be in it.
  return balanced(xss(`${withoutStrayBrackets(html)}</style>`, options));
}

/** What browsers take for text is text, and so is a tag that never ends. */
function withoutStrayBrackets(html: string): string {
  const end = html.lastIndexOf(">") + 1;
  const last = html.slice(end).replaceAll("<", "&lt;");
  return html.slice(0, end).replaceAll(/<(?![a-z/!?])/gi, "&lt;") + last;
}

/** With the end tags that are missing, and without those that end nothing. What comes is well-formed tag by tag. */
function balanced(html: string): string {
  const open: string[] = [];
  const close = (count: number) =>
    open
      .splice(open.length - count)
      .reverse()
      .map((name) => `</${name}>`)
      .join("");
  const closed = html.replaceAll(/<(\/?)([a-z\d]+)[^>]*>/g, (tag, slash: string, name: string) => {
    if (slash === "/") {
      const at = open.lastIndexOf(name);
      return at === -1 ? "" : close(open.length - at);
    }
    const last = open.at(-1);
    const ended = last !== undefined && endedBy.get(last)?.has(name) === true ? close(1) : "";
    if (!voids.has(name)) open.push(name);
    return ended + tag;
  });
  return closed + close(open.length);
}
