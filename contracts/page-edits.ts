/**
 * What a variant changes on pages: the member `pageEdits` of its value, which flags of type object have. Whatever else the value has
 * is the page's own business. Judged when it is written (control/check-page-edits.ts) and once more where it is used (html/).
 */

import * as z from "zod/mini";
import { limits } from "./limits.ts";
import type { FieldError } from "./problem.ts";

const longest = { selector: 500, text: 20_000, html: 20_000, code: 20_000, name: 100, url: 2_000 };

const selector = z.string().check(z.minLength(1), z.maxLength(longest.selector));
const text = z.string().check(z.maxLength(longest.text));
const html = z.string().check(z.maxLength(longest.html));
const attributeName = z.string().check(
  z.maxLength(longest.name),
  z.regex(/^[a-z_:][\w:.-]*$/i, {
    error: "An attribute's name has letters, digits, '-', '_', ':' and '.'.",
  }),
);
const className = z
  .string()
  .check(z.maxLength(longest.name), z.regex(/^[^\s]+$/, { error: "A class has no white space." }));
const classNames = z.array(className).check(z.minLength(1), z.maxLength(50));
const property = z
  .string()
  .check(
    z.maxLength(longest.name),
    z.regex(/^-{0,2}[a-z][a-z\d-]*$/i, { error: "A CSS property such as background-color." }),
  );
const propertyValue = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(1_000),
    z.regex(/^[^;{}<>\\]*$/, { error: "A CSS value has none of ; { } < > and no backslash." }),
  );

/** Says that HTML or an attribute may do anything; without it HTML is sanitised and attributes that run code are refused. */
const trusted = z.exactOptional(z.boolean());

const positions = ["before", "after", "prepend", "append"] as const;

/** Attributes that name something to load or to go to. */
export const addresses: ReadonlySet<string> = new Set(
  "action background cite data formaction href longdesc ping poster src xlink:href".split(" "),
);
const harmlessScheme = /^(?:https?|mailto|tel|sms|ftp):/i;

/** What of an attribute is code: a handler, a document, or an address of another scheme than those that only lead somewhere. */
export function codeIn(
  name: string,
  value: string | null,
): "handler" | "document" | "address" | null {
  const lower = name.toLowerCase();
  if (value === null) return null;
  if (lower.startsWith("on")) return "handler";
  if (lower === "srcdoc") return "document";
  if (!addresses.has(lower)) return null;
  // As browsers read it: without white space and control characters.
  const address = value.replaceAll(/[\s\p{Cc}]/gu, "");
  return /^[^/?#]*:/.test(address) && !harmlessScheme.test(address) ? "address" : null;
}

/** Elements that hold nothing. */
export const voids: ReadonlySet<string> = new Set(
  "area base br col embed hr img input link meta param source track wbr".split(" "),
);

/** What is done to elements that a CSS selector matches. */
const elementEdits = [
  z.strictObject({ action: z.literal("text"), selector, text }),
  z.strictObject({ action: z.literal("html"), selector, html, trusted }),
  z
    .strictObject({
      action: z.literal("attribute"),
      selector,
      name: attributeName,
      /** Null removes it. */
      value: z.nullable(text),
      trusted,
    })
    .check(
      z.refine(({ name, value, trusted }) => trusted === true || codeIn(name, value) === null, {
        path: ["value"],
        error: "This attribute can run code: say trusted: true if it should.",
      }),
    ),
  z
    .strictObject({
      action: z.literal("class"),
      selector,
      add: z.exactOptional(classNames),
      remove: z.exactOptional(classNames),
    })
    .check(
      z.refine(({ add, remove }) => add !== undefined || remove !== undefined, {
        error: "Give the classes to add or to remove.",
      }),
    ),
  z.strictObject({
    action: z.literal("style"),
    selector,
    properties: z
      .record(property, propertyValue)
      .check(z.refine((given) => Object.keys(given).length > 0, { error: "Give a property." })),
  }),
  z.strictObject({ action: z.literal("remove"), selector }),
  z.strictObject({
    action: z.literal("insert"),
    selector,
    position: z.enum(positions, { error: `Use ${positions.join(", ")}.` }),
    html,
    trusted,
  }),
] as const;

/** What is done to the page as a whole, in its head. */
const headEdits = [
  z.strictObject({ action: z.literal("title"), text }),
  z.strictObject({
    action: z.literal("meta"),
    name: z
      .string()
      .check(z.maxLength(longest.name), z.regex(/^[\w:.-]+$/, { error: "Such as description." })),
    content: text,
  }),
  z.strictObject({
    action: z.literal("script"),
    code: z.string().check(
      z.minLength(1),
      z.maxLength(longest.code),
      z.refine((code) => !/<\/script|<!--/i.test(code), {
        error: "A script in a page cannot hold </script or <!--: write <\\/script, <\\!--.",
      }),
    ),
    trusted: z.literal(true, { error: "A script runs as it is: say trusted: true." }),
  }),
  z.strictObject({
    action: z.literal("stylesheet"),
    css: z.string().check(
      z.minLength(1),
      z.maxLength(longest.code),
      z.refine((css) => !/<\/style/i.test(css), { error: "CSS in a page cannot hold </style." }),
    ),
  }),
] as const;

const actions = [...elementEdits, ...headEdits].map(({ shape }) => shape.action.def.values[0]);

const edit = z.discriminatedUnion("action", [...elementEdits, ...headEdits], {
  error: `Use an action of ${actions.join(", ")}.`,
});

const address = z.string().check(z.minLength(1), z.maxLength(longest.url));

/** `exact` and `glob` are of the path when they begin with "/", else of the whole address; see html/url-rules.ts. */
const urlRule = z.union(
  [
    z.strictObject({ exact: address }),
    z.strictObject({ glob: address }),
    z.strictObject({ regex: address }),
  ],
  { error: 'Use {exact: "/cart"}, {glob: "/shop/*"} or {regex: "^https://shop\\\\."}.' },
);

const pages = z.strictObject({
  urls: z
    .array(urlRule)
    .check(z.minLength(1, { error: "Say where: at least one rule." }), z.maxLength(50)),
  edits: z.array(edit).check(z.minLength(1), z.maxLength(100)),
});

const pageEdits = z.array(pages).check(
  z.minLength(1),
  z.maxLength(20),
  z.refine((value) => JSON.stringify(value).length <= limits.pageEditsLength, {
    error: `The edits of a variant take at most ${limits.pageEditsLength} characters as JSON.`,
  }),
);

/** With pointers that begin at the edits themselves. */
export function readPageEdits(
  value: unknown,
): { ok: true; value: PageEdits[] } | { ok: false; errors: FieldError[] } {
  const parsed = z.safeParse(pageEdits, value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const errors = parsed.error.issues.map(({ path, message }) => ({
    pointer: path.map((part) => `/${String(part)}`).join(""),
    detail: message,
  }));
  return { ok: false, errors };
}

export type UrlRule = z.output<typeof urlRule>;
export type PageEdits = z.output<typeof pages>;
export type Edit = PageEdits["edits"][number];
export type ElementEdit = Extract<Edit, { selector: string }>;
export type HeadEdit = Exclude<Edit, { selector: string }>;

export function isElementEdit(edit: Edit): edit is ElementEdit {
  return "selector" in edit;
}
