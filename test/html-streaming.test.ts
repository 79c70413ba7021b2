/** The page streams: what the origin has sent reaches the visitor before the origin goes on, and exposures leave when the page has. */

import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ask, pageExperiment, receive, snapshotOf, startSite } from "./html-site.ts";
import type { Site } from "./html-site.ts";

const pages = [{ glob: "/*" }];
const first = pageExperiment("first", [{ action: "text", selector: "h1", text: "New" }], pages);
const second = pageExperiment("second", [{ action: "text", selector: "h2", text: "New" }], pages);

/** The origin's answers that are under way: a test goes on with each as it likes. */
const open: ServerResponse[] = [];
let opened = () => {};
let site: Site;

beforeAll(async () => {
  site = await startSite(snapshotOf([first, second]), (_request, response) => {
    open.push(response);
    opened();
  });
});
afterEach(() => {
  for (const response of open.splice(0)) response.destroy();
  site.exposures.length = 0;
});
afterAll(async () => {
  await site.stop();
});

/** Asks for a page, and gives the origin's answer to it beside what the visitor gets. */
async function visit(path: string, from = site.edited) {
  const asked = new Promise<void>((done) => {
    opened = done;
  });
  const answered = ask(`${from}${path}`);
  await asked;
  const origin = open.at(-1);
  if (origin === undefined) throw new Error("the origin was not asked");
  origin.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  origin.flushHeaders();
  return { origin, answered };
}

/** Reads until the text holds `wanted`. */
async function readUntil(response: AsyncIterable<unknown>, wanted: string): Promise<string> {
  let text = "";
  const chunks = response[Symbol.asyncIterator]();
  while (!text.includes(wanted)) {
    const { done, value } = await chunks.next();
    if (done === true) throw new Error(`ended with ${text}`);
    text += String(value);
  }
  return text;
}

test("the first rewritten bytes arrive while the origin still holds the rest back", async () => {
  const { origin, answered } = await visit("/slow");
  // Before a byte of the page, the headers.
  const response = await answered;
  expect(response.headers["cache-control"]).toBe("private");
  origin.write("<h1>Old</h1><p>one</p>");
  expect(await readUntil(response, "<p>one</p>")).toMatch(/^<h1>(?:Old|New)<\/h1><p>one<\/p>$/);
  expect(site.exposures).toEqual([]);
  origin.write("<p>two</p>");
  expect(await readUntil(response, "</p>")).toBe("<p>two</p>");
  origin.end("<p>three</p>");
  expect(await readUntil(response, "</p>")).toBe("<p>three</p>");
  await site.exposed(1);
  expect(site.exposures.map(({ experiment }) => experiment)).toEqual(["first"]);
});

test("a visitor who leaves in the middle is exposed to what was met, and to nothing else", async () => {
  const { origin, answered } = await visit("/left");
  const response = await answered;
  origin.write("<h1>Old</h1><p>one</p>");
  await readUntil(response, "<p>one</p>");
  response.destroy();
  const left = new Promise((done) => origin.once("close", done));
  // The runtime learns of it when it next writes.
  const more = setInterval(() => origin.write(`<p>${"more".repeat(5_000)}</p>`), 10);
  await left;
  clearInterval(more);
  await site.exposed(1);
  expect(site.exposures.map(({ experiment }) => experiment)).toEqual(["first"]);
});

test("an origin that breaks off breaks the page off, as without the middleware", async () => {
  const { origin, answered } = await visit("/broken");
  const response = await answered;
  origin.write("<h1>Old</h1><p>one</p>");
  await readUntil(response, "<p>one</p>");
  const broken = new Promise<unknown>((done) => response.once("error", done));
  response.resume();
  origin.destroy();
  expect(await broken).toMatchObject({ code: "ECONNRESET" });
  await site.exposed(1);
  expect(site.exposures.map(({ experiment }) => experiment)).toEqual(["first"]);
});

test("a page that never ends: what was met is sent all the same, within ten seconds", async () => {
  const { origin, answered } = await visit("/endless");
  const response = await answered;
  origin.write("<h1>Old</h1><p>one</p>");
  await readUntil(response, "<p>one</p>");
  await site.exposed(1);
  expect(site.exposures.map(({ experiment }) => experiment)).toEqual(["first"]);
  expect(response.destroyed).toBe(false);
  response.destroy();
});

test("an origin that hangs holds up nobody else", async () => {
  const { answered: hanging } = await visit("/hangs");
  const { origin, answered } = await visit("/fine");
  origin.end("<h1>Old</h1>");
  expect(await readUntil(await answered, "</h1>")).toMatch(/^<h1>(?:Old|New)<\/h1>$/);
  await site.exposed(1);
  (await hanging).destroy();
});

test("a visitor's pages are all of one variant, the one that is logged", async () => {
  const { origin, answered } = await visit("/");
  origin.end("<h1>Old</h1><h2>Old</h2>");
  const response = await answered;
  const [cookie = ""] = (response.headers["set-cookie"] ?? [""])[0]?.split(";") ?? [];
  const painted = await readUntil(response, "</h2>");
  await site.exposed(2);
  const variantOf = (experiment: string) =>
    site.exposures.find((each) => each.experiment === experiment)?.variant;
  expect(painted).toBe(
    `<h1>${variantOf("first") === "treatment" ? "New" : "Old"}</h1><h2>${variantOf("second") === "treatment" ? "New" : "Old"}</h2>`,
  );
  for (let again = 0; again < 3; again++) {
    const asked = new Promise<void>((done) => {
      opened = done;
    });
    const page = receive(`${site.edited}/again`, { headers: { cookie } });
    await asked;
    open.at(-1)?.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    open.at(-1)?.end("<h1>Old</h1><h2>Old</h2>");
    const { body, headers } = await page;
    expect(body.toString()).toBe(painted);
    expect(headers.some(([name]) => name === "set-cookie")).toBe(false);
  }
});

test("configuration and exposures over the network, with a server key", async () => {
  const { origin, answered } = await visit("/remote", site.remote);
  origin.end("<h1>Old</h1>");
  const painted = await readUntil(await answered, "</h1>");
  await site.exposed(1);
  expect(site.exposures).toMatchObject([
    { experiment: "first", variant: painted === "<h1>New</h1>" ? "treatment" : "control" },
  ]);
});
