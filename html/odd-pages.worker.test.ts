/** Pages that break off, are compressed already, or of which the rewriter cannot take all: the visitor gets them whole. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { htmlOf, onPages, site, streamOf, unitsIn, visitBy } from "../test/worker-pages.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const page = `<!doctype html><html><body><h1 class="a">Old</h1><p>Text</p></body></html>`;
const headline = onPages("headline", {
  control: [],
  treatment: [{ action: "text", selector: "h1", text: "New" }],
});

const [treated = ""] = unitsIn("treatment", headline);

/** What comes of a body, and what it breaks off with. */
async function received({ body }: Response): Promise<{ text: string; failure: string | null }> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done = true, value = "" } = (await reader?.read()) ?? {};
      if (done) return { text, failure: null };
      text += value;
    }
  } catch (error) {
    return { text, failure: String(error) };
  }
}

describe("an origin that breaks off", () => {
  const beginning = "<!doctype html><h1>Old</h1>";
  test.each([
    ["before it has said its encoding", { "content-type": "text/html" }, beginning],
    ["before a byte of it", { "content-type": "text/html" }, ""],
    [
      "before a byte of what it has compressed",
      { "content-type": "text/html; charset=utf-8", "content-encoding": "gzip" },
      "",
    ],
    ["in a page", { "content-type": "text/html; charset=utf-8" }, beginning.replace("Old", "New")],
  ])("%s: what came is served, and breaks off there", async (_when, headers, expected) => {
    const { visit } = await site([headline]);
    const body = streamOf(expected === "" ? [] : [beginning], new Error("the origin died"));
    let got = {};
    const { response } = await visit(
      visitBy(treated),
      async () => new Response(body, { headers: { ...headers, "x-own": "1" } }),
      async (given) => {
        got = await received(given);
      },
    );
    expect(response.status).toBe(200);
    expect(response.headers.get("x-own")).toBe("1");
    expect(got).toEqual({ text: expected, failure: expect.stringContaining("the origin died") });
  });
});

test("a body that a worker has compressed itself stays as it is, counted", async () => {
  const compressed = new Response(page).body?.pipeThrough(new CompressionStream("gzip")) ?? null;
  const bytes = new Uint8Array(await new Response(compressed).arrayBuffer());
  for (const type of ["text/html; charset=utf-8", "text/html"]) {
    const { visit, noted } = await site([headline]);
    const headers = { "content-type": type, "content-encoding": "gzip", etag: '"x"' };
    const { response, exposures } = await visit(
      visitBy(treated),
      async () => new Response(bytes, { headers, encodeBody: "manual" }),
      async (given) => {
        expect(new Uint8Array(await given.arrayBuffer())).toEqual(bytes);
      },
    );
    expect(response.headers.get("etag")).toBe('"x"');
    expect(exposures).toEqual([]);
    expect(noted).toEqual([type === "text/html" ? "not-utf-8" : "content-encoding"]);
  }
});

test.each([
  ["an ArrayBuffer", (bytes: Uint8Array) => bytes.slice().buffer],
  ["a DataView", ({ buffer, byteOffset }: Uint8Array) => new DataView(buffer, byteOffset)],
])("a page whose chunks are each %s is edited", async (_name, chunkOf) => {
  const { visit } = await site([headline]);
  const bytes = new TextEncoder().encode(page);
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(chunkOf(bytes));
      controller.close();
    },
  });
  const { text } = await visit(visitBy(treated), async () => htmlOf(body));
  expect(text).toBe(page.replace("Old", "New"));
});

test("a page whose chunks are no bytes breaks off, as without the middleware", async () => {
  const { visit } = await site([headline]);
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(page);
      controller.close();
    },
  });
  const answer = async () => htmlOf(body);
  const read = async (response: Response) => {
    await expect(response.text()).rejects.toThrow("did not return bytes");
  };
  await visit(visitBy(treated), answer, read);
});

test.each([
  ["text that may be a tag", ["<select><xmp>", "</xmp></select><h1>Old</h1>"]],
  ["after a frameset", ["<frameset></frameset><ti", "tle>x</title><h1>Old</h1>"]],
  ["a tag of 40,000 attributes", ["<a", " x".repeat(40_000), ">"]],
  ["one of them in one piece", [`<a${" x".repeat(40_000)}>`]],
  ["a tag of 17 MB", ["<a title='", ...Array.from({ length: 17 }, () => "x".repeat(1e6)), "'>"]],
])("where the rewriter cannot go on, the page does, as it came: %s", async (_name, chunks) => {
  const { visit, noted } = await site([headline]);
  const body = streamOf(["<h1>Old</h1>", ...chunks, "end"]);
  const { text, exposures } = await visit(visitBy(treated), async () => htmlOf(body));
  expect(text === `<h1>New</h1>${chunks.join("")}end`).toBe(true);
  expect(exposures).toHaveLength(1);
  expect(noted).toEqual(["not-further"]);
});

test("a page with many attributes in many elements is edited to its end", async () => {
  const { visit, noted } = await site([headline]);
  const wide = `<a${" x=1".repeat(8_000)}>`;
  const begin = `${wide}${"<b>".repeat(15_000)}${wide}`;
  const { text } = await visit(visitBy(treated), `${begin}<h1>Old</h1>`);
  expect(text === `${begin}<h1>New</h1>`).toBe(true);
  expect(noted).toEqual([]);
});

describe("a page with more elements in each other than the rewriter holds", () => {
  const many = 17_000;

  test.each([
    ["blocks", "<div>".repeat(many) + "</div>".repeat(many)],
    ["items without end tags", `<ul>${"<li class='i'>x".repeat(many)}</ul>`],
    ["of a picture", `<svg>${"<g>".repeat(many)}</svg>`],
    ["after a picture that an end ends", "<svg></br><g/>".repeat(many)],
    ["that end pictures", "<svg><div/>".repeat(many)],
    ["that begin pictures", "<b><svg/></svg>".repeat(many)],
    ["that only seem to be ended at once", `<math>${"<mi a=b/>".repeat(many)}</math>`],
    ["ends of what is not open", "<b></i>".repeat(many)],
  ])("is edited to there, the rest as it came: %s", async (_name, deep) => {
    for (const end of ["end", `<img src='${"x".repeat(4_000_000)}'>end`]) {
      const { visit, noted } = await site([headline]);
      const chunks = (deep.match(/[^]{1,65536}/g) ?? []).map(String);
      const body = streamOf(["<h1>Old</h1>", ...chunks, end]);
      const { text, exposures } = await visit(visitBy(treated), async () => htmlOf(body));
      expect(text === `<h1>New</h1>${deep}${end}`).toBe(true);
      expect(exposures).toHaveLength(1);
      expect(noted).toEqual(["not-further"]);
    }
  });

  test.each([
    ["without content", "<br><IMG src=/x/>".repeat(many)],
    ["ended", "<div><p>x</P></div>".repeat(many)],
    ["ended by others", "<ul><li><b>x</ul>".repeat(many)],
    ["of a picture, ended at once", `<svg>${"<path d='x'/><use hidden/>".repeat(many)}</svg>`],
    ["texts", "<script><!--<script></script>--></script><style>a<b</style>".repeat(many)],
  ])("is not one with many after each other: %s", async (_name, wide) => {
    for (const size of [65_536, 999]) {
      const { visit, noted } = await site([headline]);
      const chunks = (wide.match(size === 999 ? /[^]{1,999}/g : /[^]{1,65536}/g) ?? []).map(String);
      const body = streamOf([...chunks, "<h1>Old</h1>"]);
      const { text } = await visit(visitBy(treated), async () => htmlOf(body));
      expect(text === `${wide}<h1>New</h1>`).toBe(true);
      expect(noted).toEqual([]);
    }
  });
});

test("nor is the rest lost that begins in what an edit takes away, nor what is not UTF-8", async () => {
  const rest = [
    "<xmp>",
    "</xmp></select></h1>after ",
    new Uint8Array([0xc3]),
    new Uint8Array([0xa9, 0xff]),
  ];
  for (const [begin, expected] of [
    ["<h1><select>", "<h1>New"],
    ["<p><select>", "<p><select>"],
  ] as const) {
    const { visit } = await site([headline]);
    const body = streamOf([begin, ...rest, "end"]);
    const { text } = await visit(visitBy(treated), async () => htmlOf(body));
    expect(text).toBe(`${expected}<xmp></xmp></select></h1>after é\ufffdend`);
  }
});

test.each([["<p>text<script>go("], ["<p>text<!-- "], ["<p>text<b title='"]])(
  "at the end of %s nothing is written",
  async (page) => {
    const edits = [{ action: "insert", selector: "p", position: "append", html: "+" }];
    const { visit, noted } = await site([onPages("headline", { control: [], treatment: edits })]);
    expect((await visit(visitBy(treated), page)).text).toBe(page);
    expect(noted).toEqual([]);
  },
);

describe("a page of unknown length with a tag of 4 MB", () => {
  const parts = [
    "<h1>Old</h1><p>a < b</p><img src='data:",
    ...Array.from({ length: 60 }, () => "x".repeat(65_536)),
    "'><h1>Old</h1><p>end",
  ];

  test.each([
    // What is looked for makes the rewriter take every such tag as a whole.
    ["img.x", "data:"],
    ["h2", "data:"],
    ["img.x", "<b title='"],
    ["img.x", "a > b"],
  ])("looking for %s, %s in an attribute: is edited to its end", async (selector, begin) => {
    const edits = [
      { action: "text", selector: "h1", text: "New" },
      { action: "class", selector, add: ["y"] },
    ];
    const { visit, noted } = await site([onPages("headline", { control: [], treatment: edits })]);
    const chunks = parts.map((part) => part.replace("data:", begin.replaceAll("'", '"')));
    const { text, exposures } = await visit(visitBy(treated), async () => htmlOf(streamOf(chunks)));
    expect(text === chunks.join("").replaceAll("Old", "New")).toBe(true);
    expect(exposures).toHaveLength(1);
    expect(noted).toEqual([]);
  });
});
