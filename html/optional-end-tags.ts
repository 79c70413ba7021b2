/**
 * The elements whose end tag may be left out (HTML Standard, 13.1.2.4), and the start tags that then end them as browsers parse
 * (13.2.6.4.7 and on), unless one of the elements in `stops` is open in between.
 */

const blocks =
  "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header " +
  "hgroup hr main menu nav ol p pre search section summary table ul";
const sections = "tbody tfoot thead";

export const endedBy: ReadonlyMap<string, ReadonlySet<string>> = sets({
  li: "li",
  dt: "dt dd",
  dd: "dt dd",
  // Items and cells end a paragraph with the item or cell that it is in.
  p: `${blocks} dd dt li td th tr ${sections}`,
  rt: "rt rp",
  rp: "rt rp",
  option: "option optgroup hr",
  optgroup: "optgroup hr",
  thead: sections,
  tbody: sections,
  tfoot: sections,
  tr: `tr ${sections}`,
  td: `td th tr ${sections}`,
  th: `td th tr ${sections}`,
});

const scopes = "applet caption marquee object table td template th";
/** The special elements but address, div and p. */
const special =
  `${scopes} article aside blockquote button center colgroup dd details dir dl dt fieldset figcaption figure footer form frameset h1 ` +
  "h2 h3 h4 h5 h6 header hgroup iframe li listing main menu nav noscript ol plaintext pre search section select summary tbody " +
  "tfoot thead tr ul xmp";

export const stops: ReadonlyMap<string, ReadonlySet<string>> = sets({
  li: special,
  dt: special,
  dd: special,
  p: `${scopes} button`,
  rt: "ruby",
  rp: "ruby",
  option: "select",
  optgroup: "select",
  thead: "table template",
  tbody: "table template",
  tfoot: "table template",
  tr: "table template",
  td: "table template",
  th: "table template",
});

function sets(lists: Record<string, string>): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(Object.entries(lists).map(([tag, names]) => [tag, new Set(names.split(" "))]));
}
