/** The elements whose end tag may be left out (HTML Standard, 13.1.2.4), and the start tags that then end them. */

const blocks =
  "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header " +
  "hgroup hr main menu nav ol p pre search section table ul";
const sections = "tbody tfoot thead";

export const endedBy: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    li: "li",
    dt: "dt dd",
    dd: "dt dd",
    // Items and cells end a paragraph with the item or cell that it is in.
    p: `${blocks} dd dt li summary td th tr ${sections}`,
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
  }).map(([tag, enders]) => [tag, new Set(enders.split(" "))]),
);
