/**
 * What a page says of its character encoding in its first kilobyte: its byte order mark, or its meta elements as browsers look for them
 * before they parse (HTML Standard, 13.2.3.2, "prescan a byte stream"). Sees no declaration in comments, other elements' attributes and
 * what has not come yet. One inside a script or style is believed by some browsers and not by others: such a page counts as another's.
 */

export const prescannedBytes = 1_024;

/** The labels of the Encoding Standard. */
export function isUtf8(label: string): boolean {
  return /^(?:unicode-1-1-utf-8|utf-?8|unicode11utf8|(?:x-)?unicode20utf8)$/i.test(label);
}

/** In a meta element a page cannot be UTF-16, since the element could be read: the standard takes it for UTF-8. */
function meansUtf8(label: string): boolean {
  const name = label.trim();
  return (
    isUtf8(name) ||
    /^(?:utf-16(?:le|be)?|ucs-2|unicode|unicodefffe|unicodefeff|csunicode|iso-10646-ucs-2)$/i.test(
      name,
    )
  );
}

/** @param bytes one character for each byte. Null: not said as far as it goes. */
export function saysUtf8(bytes: string): boolean | null {
  if (bytes.startsWith("\u00ef\u00bb\u00bf")) return true;
  if (["\u00fe\u00ff", "\u00ff\u00fe"].some((mark) => bytes.startsWith(mark))) return false;
  const said = prescan(bytes, true);
  return said === true && prescan(bytes, false) === false ? false : said;
}

const texts = /^(?:script|style|title|textarea|xmp|iframe|noembed|noframes)$/;

/** @param skipsText whether what is in scripts and the like is no markup, as parsers see it; the standard's own prescan looks into them */
function prescan(bytes: string, skipsText: boolean): boolean | null {
  let at = bytes.indexOf("<");
  while (at !== -1) {
    const tag = /^<(\/?)([a-z][^\t\n\f\r />]*)(?=[\t\n\f\r />])/i.exec(bytes.slice(at));
    let next: number | null = at + 1;
    if (bytes.startsWith("<!--", at)) next = after(bytes, "-->", at + 2);
    else if (tag !== null) {
      const name = `${tag[1]}${tag[2]}`.toLowerCase();
      const { attributes, end } = attributesAt(bytes, at + tag[0].length);
      const charset = name === "meta" && end !== null ? charsetOf(attributes) : null;
      if (charset !== null) return meansUtf8(charset);
      const isText = end !== null && skipsText && texts.test(name);
      next = isText ? after(bytes.toLowerCase(), `</${name}`, end) : end;
    } else if (/^<[!/?]/.test(bytes.slice(at, at + 2))) next = after(bytes, ">", at);
    if (next === null) return null;
    at = bytes.indexOf("<", next);
  }
  return null;
}

function after(bytes: string, end: string, from: number): number | null {
  const at = bytes.indexOf(end, from);
  return at === -1 ? null : at + end.length;
}

/** `end` is after the tag; null where it has not ended. Of attributes of one name the first counts. */
function attributesAt(
  bytes: string,
  from: number,
): { attributes: ReadonlyMap<string, string>; end: number | null } {
  const attributes = new Map<string, string>();
  const attribute =
    /[\t\n\f\r /]*(?:(>)|([^\t\n\f\r />][^\t\n\f\r />=]*)(?![^\t\n\f\r />=])(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|(?!["'])([^\t\n\f\r >]*))|(?![\t\n\f\r ]*=)))/gy;
  attribute.lastIndex = from;
  for (;;) {
    const found = attribute.exec(bytes);
    if (found === null || attribute.lastIndex >= bytes.length + (found[1] === ">" ? 1 : 0)) {
      return { attributes, end: null };
    }
    const [, end, name = "", double, single, bare] = found;
    if (end === ">") return { attributes, end: attribute.lastIndex };
    const lower = name.toLowerCase();
    if (!attributes.has(lower)) attributes.set(lower, double ?? single ?? bare ?? "");
  }
}

function charsetOf(attributes: ReadonlyMap<string, string>): string | null {
  const charset = attributes.get("charset");
  if (charset !== undefined) return charset;
  if (attributes.get("http-equiv")?.toLowerCase() !== "content-type") return null;
  return charsetIn(attributes.get("content") ?? "");
}

/** "Extracting a character encoding from a meta element" (HTML Standard, 2.4.3). */
function charsetIn(content: string): string | null {
  const [, double, single, bare] =
    /charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|(?!["'])([^\t\n\f\r ;]+))/i.exec(
      content,
    ) ?? [];
  return double ?? single ?? bare ?? null;
}
