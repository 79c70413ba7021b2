/** Pages through the middleware against the same pages without it, over HTTP: where nothing matches, the page stays itself. */

import type { ServerResponse } from "node:http";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pageExperiment, receive, snapshotOf, startSite } from "./html-site.ts";
import type { Received, Site } from "./html-site.ts";

const html = { "content-type": "text/html; charset=utf-8" };
const article = `<!doctype html><html><head><title>T</title></head><body class=a><h1>Héad</h1>${"<p>text &amp; more</p>".repeat(300)}</body></html>`;
const broken = `<!doctype html><div <p class="a" class='b'><table><tr><td>x<p></b></i></nope>a < b && c > d<!-- <h1> --!><script>if (a<b) "</scr"+"ipt>"</script><textarea></h1></textarea><img src=a onerror=">"><p`;
const cookies = ["a=1; Expires=Thu, 01 Jan 2037 00:00:00 GMT; Path=/", "b=2; HttpOnly", "a=3"];

type Answer = (response: ServerResponse) => void;

const answer =
  (status: number, headers: object, body: string | Buffer = "", reason = ""): Answer =>
  (response) => {
    if (reason === "") response.writeHead(status, { ...headers });
    else response.writeHead(status, reason, { ...headers });
    response.end(body);
  };

/** What an origin may answer. */
const answers: Record<string, Answer> = {
  "a page": answer(200, { ...html, "content-length": Buffer.byteLength(article) }, article),
  "a page with a reason of its own": answer(203, html, article, "Fine Indeed"),
  "with cookies": answer(200, { ...html, "set-cookie": cookies }, article),
  "with a policy": answer(
    200,
    { ...html, "content-security-policy": "default-src 'self'", "x-frame-options": "DENY" },
    article,
  ),
  "with validators": answer(
    200,
    {
      ...html,
      etag: '"v1"',
      "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
      "accept-ranges": "bytes",
    },
    article,
  ),
  "for shared caches": answer(
    200,
    { ...html, "cache-control": "public, s-maxage=60, max-age=5", vary: "accept-encoding" },
    article,
  ),
  "with the place": answer(
    200,
    { ...html, "content-encoding": "gzip" },
    gzipSync("<p>é</p><aside>x</aside>"),
  ),
  gzip: answer(200, { ...html, "content-encoding": "gzip" }, gzipSync(article)),
  brotli: answer(200, { ...html, "content-encoding": "br" }, brotliCompressSync(article)),
  "an unknown encoding": answer(
    200,
    { ...html, "content-encoding": "x-secret" },
    Buffer.from([1, 2, 3, 255]),
  ),
  "upper-case types": answer(200, { "content-type": 'Text/HTML; Charset="UTF-8"' }, article),
  "a byte order mark": answer(200, html, `\ufeff${article}`),
  "CRLF and NUL": answer(200, html, "<h2>\r\n\0</h2>\r\n"),
  "bytes that are not UTF-8": answer(200, html, Buffer.from([0x3c, 0x70, 0x3e, 0xe9, 0xff, 0xfe])),
  "broken HTML": answer(200, html, broken),
  "text without a tag": answer(200, html, "no tag at all, é"),
  "nothing in it": answer(200, html, ""),
  "Latin-1": answer(
    200,
    { "content-type": "text/html; charset=iso-8859-1" },
    Buffer.from([0x3c, 0x70, 0x3e, 0xe9]),
  ),
  "UTF-16": answer(
    200,
    { "content-type": "text/html; charset=utf-16le" },
    Buffer.from("<p>é", "utf16le"),
  ),
  "UTF-8 by meta": answer(200, { "content-type": "text/html" }, `<meta charset=utf-8>${article}`),
  "Latin-1 by meta": answer(
    200,
    { "content-type": "text/html" },
    Buffer.from("<meta charset=latin1>\xe9", "latin1"),
  ),
  "no encoding said": answer(200, { "content-type": "text/html" }, article),
  "no type": answer(200, {}, article),
  JSON: answer(200, { "content-type": "application/json", etag: '"j"' }, `{"h1": "<h1>"}`),
  "a picture": answer(
    200,
    { "content-type": "image/png", etag: '"p"' },
    Buffer.from([137, 80, 78, 71, 0, 255]),
  ),
  "a range": answer(206, { ...html, "content-range": "bytes 0-3/100", etag: '"v1"' }, "<h1>"),
  "not modified": answer(304, { etag: '"v1"', "cache-control": "max-age=5" }),
  "no content": answer(204, {}),
  "a redirect with a page": answer(301, { ...html, location: "/elsewhere" }, article),
  "a redirect": answer(307, { location: "https://example.com/", "set-cookie": cookies }),
  "not found": answer(404, { ...html, "set-cookie": cookies }, article),
  "a failure": answer(500, html, article, "Oh No"),
  unavailable: answer(503, { ...html, "retry-after": "5" }, article),
};

/** What is the visitor's alone where a page may be edited: not the origin's bytes, and no shared cache's. */
const ownHeaders = ["cache-control", "etag", "last-modified", "accept-ranges", "set-cookie"];
/** Of the connection. */
const hopHeaders = ["date", "connection", "keep-alive", "transfer-encoding", "content-length"];

let site: Site;
beforeAll(async () => {
  const edits = [
    { action: "text", selector: "h1.nowhere", text: "x" },
    { action: "remove", selector: "aside" },
  ];
  const experiment = pageExperiment("nothing", edits, [{ glob: "/here/*" }]);
  site = await startSite(snapshotOf([experiment]), (request, response) => {
    const name = decodeURIComponent((request.url ?? "").split("/").at(-1) ?? "");
    (answers[name] ?? answer(418, {}))(response);
  });
});
afterAll(async () => {
  await site.stop();
});

function decoded({ headers, body }: Received): Buffer {
  const encoding = headers.find(([name]) => name === "content-encoding")?.[1];
  if (body.byteLength === 0) return body;
  if (encoding === "gzip") return gunzipSync(body);
  return encoding === "br" ? brotliDecompressSync(body) : body;
}

const without = (headers: Received["headers"], names: readonly string[]) =>
  headers.filter(([name]) => !names.includes(name));

const names = Object.keys(answers).filter((name) => name !== "with the place");
const acceptEncodings = ["identity", "gzip", "gzip, br"];

describe.each(["GET", "HEAD", "POST"])("%s", (method) => {
  test.each(names)("%s, where no rule applies: the same response", async (name) => {
    for (const encoding of acceptEncodings) {
      const asking = { method, headers: { "accept-encoding": encoding, accept: "text/html" } };
      const path = `/elsewhere/${encodeURIComponent(name)}`;
      const plain = await receive(site.plain + path, asking);
      const edited = await receive(site.edited + path, asking);
      expect(without(edited.headers, ["date"])).toEqual(without(plain.headers, ["date"]));
      expect({ ...edited, headers: [] }).toEqual({ ...plain, headers: [] });
    }
  });

  test.each(names)("%s, where no selector matches: the same page", async (name) => {
    for (const encoding of acceptEncodings) {
      const asking = { method, headers: { "accept-encoding": encoding, accept: "text/html" } };
      const path = `/here/${encodeURIComponent(name)}`;
      const plain = await receive(site.plain + path, asking);
      const edited = await receive(site.edited + path, asking);
      expect(plain.status).not.toBe(418);
      expect(decoded(edited)).toEqual(decoded(plain));
      expect([edited.status, edited.statusText]).toEqual([plain.status, plain.statusText]);
      const shared = [...ownHeaders, ...hopHeaders];
      // What a page says in itself of its encoding is said in the header, because an edit may move it too far down.
      const typed = plain.headers.map(([header, value]): [string, string] =>
        header === "content-type" && name === "UTF-8 by meta" && method !== "HEAD"
          ? [header, `${value}; charset=utf-8`]
          : [header, value],
      );
      expect(without(edited.headers, shared)).toEqual(without(typed, shared));
      const cookiesOf = ({ headers }: Received) =>
        headers.flatMap(([header, value]) => (header === "set-cookie" ? [value] : []));
      const added = cookiesOf(edited).filter((cookie) => cookie.startsWith("edgewise_visitor="));
      expect(cookiesOf(edited)).toEqual([...cookiesOf(plain), ...added]);
      const cacheControl = edited.headers.find(([header]) => header === "cache-control")?.[1] ?? "";
      // Who gets a cookie gets a page that no shared cache keeps.
      expect(
        added.length === 0 || /^private\b(?!.*\b(?:public|s-maxage)\b)/.test(cacheControl),
      ).toBe(true);
    }
  });
});

test("nothing that was asked for above exposed anybody", () => {
  expect(site.exposures).toEqual([]);
});

test.each(["identity", "gzip", "gzip, br"])(
  "where a selector matches, the page is edited and a new visitor is told apart, sent as %s",
  async (encoding) => {
    const headers = { "accept-encoding": encoding };
    const variants = new Set<string>();
    while (variants.size < 2) {
      const page = await receive(`${site.edited}/here/with%20the%20place`, { headers });
      const text = decoded(page).toString();
      expect(["<p>é</p><aside>x</aside>", "<p>é</p>"]).toContain(text);
      variants.add(text);
      expect(page.headers.find(([name]) => name === "set-cookie")?.[1]).toMatch(
        /^edgewise_visitor=[\da-f-]{36}; Max-Age=34560000; Path=\/; Secure; SameSite=Lax$/,
      );
    }
  },
);
