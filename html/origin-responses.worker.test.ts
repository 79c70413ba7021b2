import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { htmlOf, onPages, site, streamOf, unitsIn, visitBy } from "../test/worker-pages.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const page = `<!doctype html><html><head><title>Shop</title></head><body><h1 class="a">Old</h1><p>Text</p></body></html>`;
const headline = onPages("headline", {
  control: [],
  treatment: [{ action: "text", selector: "h1", text: "New" }],
});

const [treated = ""] = unitsIn("treatment", headline);

describe("what the middleware asks of the origin", () => {
  const conditions = {
    "if-none-match": '"old"',
    "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT",
  };

  test("a page at an address that flags change is asked for without conditions, and given without validators", async () => {
    const { visit } = await site([headline]);
    const asked: Request[] = [];
    const { response } = await visit(visitBy(treated, "/", conditions), async (request) => {
      asked.push(request);
      return htmlOf(page, { etag: '"v1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" });
    });
    expect(asked.map(({ headers }) => headers.get("if-none-match"))).toEqual([null]);
    expect(asked[0]?.headers.get("if-modified-since")).toBeNull();
    expect(response.headers.get("etag")).toBeNull();
    expect(response.headers.get("last-modified")).toBeNull();
  });

  test.each([
    ["a picture there", "/", { accept: "image/*", "sec-fetch-dest": "image" }, "/*"],
    ["a page elsewhere", "/other", {}, "/"],
  ])(
    "%s is asked for as the visitor did, and 304 is passed on",
    async (_name, path, more, glob) => {
      const { visit } = await site([
        onPages(
          "headline",
          { control: [], treatment: [{ action: "title", text: "x" }] },
          {
            urls: [{ glob }],
          },
        ),
      ]);
      const answer = new Response(null, { status: 304, headers: { etag: '"old"' } });
      const { response } = await visit(
        visitBy(treated, path, { ...conditions, ...more }),
        async (request) => {
          expect(request.headers.get("if-none-match")).toBe('"old"');
          return answer;
        },
      );
      expect(response).toBe(answer);
    },
  );

  test("a page that is to be kept as a file is the origin's own", async () => {
    const { visit } = await site([headline]);
    const answer = htmlOf(page, { "content-disposition": 'Attachment; filename="report.html"' });
    const read = async (response: Response) => expect(await response.text()).toBe(page);
    const { response, exposures } = await visit(visitBy(treated), async () => answer, read);
    expect(response).toBe(answer);
    expect(exposures).toEqual([]);
  });

  test("exactly once, whatever happens", async () => {
    const { visit } = await site([headline], {
      attributes: () => {
        throw new Error("the site's own function fails");
      },
    });
    const origin = vi.fn<() => Promise<Response>>(async () => htmlOf(page));
    expect((await visit(visitBy(treated), origin)).text).toBe(page);
    expect(origin).toHaveBeenCalledTimes(1);
  });
});

describe("what is no page that can be rewritten is the origin's own response", () => {
  const bytes = new Uint8Array([60, 104, 49, 62, 233, 60, 47, 104, 49, 62]);
  test.each([
    ["JSON", new Response("{}", { headers: { "content-type": "application/json" } })],
    ["XHTML", new Response(page, { headers: { "content-type": "application/xhtml+xml" } })],
    ["no type", new Response(bytes)],
    ["a redirect", new Response(null, { status: 302, headers: { location: "/x" } })],
    [
      "an HTML redirect",
      new Response(page, {
        status: 301,
        headers: { location: "/x", "content-type": "text/html; charset=utf-8" },
      }),
    ],
    [
      "an error",
      new Response(page, { status: 503, headers: { "content-type": "text/html; charset=utf-8" } }),
    ],
    [
      "not found",
      new Response(page, { status: 404, headers: { "content-type": "text/html; charset=utf-8" } }),
    ],
    [
      "a range",
      new Response("<h1>", {
        status: 206,
        headers: { "content-type": "text/html; charset=utf-8", "content-range": "bytes 0-3/10" },
      }),
    ],
    ["nothing", new Response(null, { status: 204 })],
  ])("%s", async (_name, answer) => {
    const { visit, noted } = await site([headline]);
    const { response, exposures } = await visit(visitBy(treated), async () => answer);
    expect(response).toBe(answer);
    expect(exposures).toEqual([]);
    expect(noted).toEqual([]);
  });

  test.each([
    ["text/html; charset=iso-8859-1", {}, "not-utf-8"],
    ["text/html; charset=utf-16le", {}, "not-utf-8"],
    ["text/html; charset=utf-8", { "content-encoding": "zstd" }, "content-encoding"],
    ["text/html", {}, "not-utf-8"],
  ])("a page that is %s %j passes byte by byte, counted", async (type, more, reason) => {
    const { visit, noted } = await site([headline]);
    const answer = new Response(bytes, { headers: { "content-type": type, etag: '"x"', ...more } });
    const { visitedBytes, response, exposures } = await visitBytes(visit, answer);
    expect(visitedBytes).toEqual(bytes);
    expect(response.headers.get("etag")).toBe('"x"');
    expect(exposures).toEqual([]);
    expect(noted).toEqual([reason]);
  });

  async function visitBytes(visit: Awaited<ReturnType<typeof site>>["visit"], answer: Response) {
    let visitedBytes = new Uint8Array();
    const visited = await visit(
      visitBy(treated),
      async () => answer,
      async (response) => {
        visitedBytes = new Uint8Array(await response.arrayBuffer());
      },
    );
    return { ...visited, visitedBytes };
  }
});

describe("a page that says its encoding itself", () => {
  const plainHtml = { "content-type": "text/html" };
  test.each([
    ["in a meta element", `<meta charset="utf-8"><h1>é</h1>`],
    [
      "in an http-equiv",
      `<META http-equiv=Content-Type content="text/html; charset=UTF-8"><h1>é</h1>`,
    ],
    ["by a byte order mark", "\ufeff<h1>é</h1>"],
  ])("%s is rewritten when that is UTF-8", async (_name, body) => {
    const { visit } = await site([headline]);
    const { text } = await visit(
      visitBy(treated),
      async () => new Response(body, { headers: plainHtml }),
    );
    expect(text).toBe(body.replace("\ufeff", "").replace("é", "New"));
  });

  test.each([
    ["in a meta element", "<head><script>1</script><meta charset=utf-8></head>"],
    ["by a byte order mark", "\ufeff<head><script>1</script></head>"],
  ])(
    "%s, after a script: the bootstrap is before it, and the header says so then",
    async (_name, body) => {
      const { visit } = await site([headline], { bootstrap: "all" });
      const { response, text } = await visit(
        visitBy(treated),
        async () => new Response(body, { headers: plainHtml }),
      );
      expect(text).toMatch(/^<head><script type="application\/json" id="edgewise">/);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    },
  );

  test.each([
    ["another", `<meta charset="windows-1252"><h1>e</h1>`],
    ["only in a comment", `<!-- <meta charset="utf-8"> --><h1>e</h1>`],
    ["too late", `${" ".repeat(1_024)}<meta charset="utf-8"><h1>e</h1>`],
  ])("%s: passed through, counted", async (_name, body) => {
    const { visit, noted } = await site([headline]);
    const { text } = await visit(
      visitBy(treated),
      async () => new Response(body, { headers: plainHtml }),
    );
    expect(text).toBe(body);
    expect(noted).toEqual(["not-utf-8"]);
  });
});

test("a page that does not say its encoding is passed on whole, however long its tags are", async () => {
  const { visit, noted } = await site([headline]);
  const body = streamOf(Array.from({ length: 60 }, () => "x".repeat(65_536)));
  const { text } = await visit(
    visitBy(treated),
    async () => new Response(body, { headers: { "content-type": "text/html" } }),
  );
  expect(text).toHaveLength(60 * 65_536);
  expect(noted).toEqual(["not-utf-8"]);
});

describe("fails open, counted", () => {
  test.each([
    ["no such environment", async () => null, "no-configuration"],
    ["KV fails", async () => await Promise.reject(new Error("KV is down")), "failed"],
  ])("when there is no configuration: %s", async (_name, snapshot, reason) => {
    const { visit, noted, services } = await site([headline]);
    const broken = { ...services, snapshot };
    const { response, text, exposures } = await visit(visitBy(treated), page, undefined, broken);
    expect(text).toBe(page);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(exposures).toEqual([]);
    expect(noted).toEqual([reason]);
  });

  test("when the configuration does not come in time, the page waits for it no longer", async () => {
    const { visit, noted, services } = await site([headline]);
    let comes: (nothing: null) => void = () => {};
    const slow = { ...services, snapshot: () => new Promise<null>((come) => (comes = come)) };
    let text = "";
    await visit(
      visitBy(treated),
      page,
      async (response) => {
        text = await response.text();
        comes(null);
      },
      slow,
    );
    expect(text).toBe(page);
    expect(noted).toEqual(["no-configuration"]);
  });

  test("where there was no configuration, pages do not wait again for five seconds", async () => {
    const { visit, services } = await site([headline]);
    const clock = { nowMs: 1_000 };
    let asked = 0;
    const broken = {
      ...services,
      nowMs: () => clock.nowMs,
      snapshot: async () => {
        asked += 1;
        return null;
      },
    };
    for (const nowMs of [1_000, 1_001, 5_999, 6_000, 6_001]) {
      clock.nowMs = nowMs;
      expect((await visit(visitBy(treated), page, undefined, broken)).text).toBe(page);
    }
    expect(asked).toBe(2);
  });

  test.each([
    ["a selector that does not parse", { action: "text", selector: "h1[", text: "x" }],
    ["a selector that cannot be streamed", { action: "text", selector: "h1:has(b)", text: "x" }],
    ["an edit that nobody knows", { action: "explode", selector: "h1" }],
    ["100 KB", { action: "html", selector: "h1", html: "x".repeat(100_000) }],
  ])("a flag with %s changes no page, and others go on", async (_name, edit) => {
    const bad = onPages("bad", {
      control: [],
      treatment: [{ action: "text", selector: "p", text: "half" }],
      broken: [edit],
    });
    const { visit, noted } = await site([bad, headline]);
    const { text, exposures } = await visit(visitBy(treated), page);
    expect(text).toBe(page.replace("Old", "New"));
    expect(exposures.map(({ experiment }) => experiment)).toEqual(["headline"]);
    await visit(visitBy(treated), page);
    // Once a compiled configuration.
    expect(noted).toEqual(["invalid-edits"]);
  });

  test("a flag with an address rule that could run forever changes no page, and others go on", async () => {
    const bad = onPages(
      "bad",
      { control: [], treatment: [{ action: "text", selector: "p", text: "half" }] },
      { urls: [{ regex: "/(a+)+$" }, { glob: "/*" }] },
    );
    const { visit, noted } = await site([bad, headline]);
    const { text } = await visit(visitBy(treated, `/${"a".repeat(3_000)}!`), page);
    expect(text).toBe(page.replace("Old", "New"));
    expect(noted).toEqual(["invalid-edits"]);
  });

  test("flags with more than 1,000 edits at an address change nothing there, for nobody", async () => {
    const many = Array.from({ length: 50 }, (_, n) =>
      onPages(`many_${n}`, {
        control: [],
        treatment: Array.from({ length: 30 }, () => ({ action: "remove", selector: `.x${n}` })),
      }),
    );
    const { visit, noted } = await site([headline, ...many]);
    const places = many.map((_, n) => `<i class="x${n}"></i>`).join("");
    const { text, exposures } = await visit(visitBy(treated), page + places);
    expect(text).toContain("New");
    const exposed = exposures.map(({ experiment }) => experiment);
    expect(exposed.toSorted()).toEqual(
      ["headline", ...many.slice(0, 33).map(({ flag }) => flag.key)].toSorted(),
    );
    expect(new Set(noted)).toEqual(new Set(["too-many-edits"]));
  });
});
