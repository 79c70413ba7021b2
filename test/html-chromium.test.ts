/** The examples in a real browser, as `npm start` serves them: what is painted is what is counted, and no other variant is ever seen. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RequestListener } from "node:http";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { demoEnvironment, seedDemo } from "../scripts/local/demo.ts";
import { startRunner } from "../scripts/local/runner.ts";
import type { Runner } from "../scripts/local/runner.ts";
import { pageExperiment, snapshotOf, startSite } from "./html-site.ts";
import { chromiumPath, launchOptions, visitorAgent } from "./chromium.ts";

const adminKey = "ew_admin_chromium_test_key";
const variants = ["control", "free_returns"] as const;
const labels = { control: "Buy", free_returns: "Buy now, return for free" };

const resultsShape = z.object({
  sampleRatio: z.object({ observed: z.record(z.string(), z.number()) }),
  metrics: z.array(z.object({ variants: z.record(z.string(), z.object({ sum: z.number() })) })),
});

type Variant = (typeof variants)[number];

describe.skipIf(chromiumPath === undefined)("in Chromium", () => {
  let folder: string;
  let runner: Runner;
  let browser: Browser;
  let shop: string;
  let blog: string;
  /** By variant, over all tests here: distinct visitors that were painted it on the shop's page. */
  const painted = { control: new Set<string>(), free_returns: new Set<string>() };
  /** Likewise on the blog's. */
  const read = { control: new Set<string>(), question: new Set<string>() };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edgewise-chromium-"));
    runner = await startRunner({
      port: 0,
      dataFolder: join(folder, "state"),
      environments: [demoEnvironment],
      examplesFor: demoEnvironment,
      adminKey,
    });
    await runner.tick(new Date());
    await seedDemo(runner.url, adminKey);
    const { port } = new URL(runner.url);
    shop = `http://localhost:${port}/examples/shop`;
    blog = `http://localhost:${port}/examples/blog`;
    browser = await chromium.launch(launchOptions);
    await experimentsAreSeen();
  });
  afterAll(async () => {
    await browser.close();
    await runner.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A worker may have looked before there was anything: it looks again after ten seconds at most. Asked as a bot, which counts nowhere. */
  async function experimentsAreSeen(): Promise<void> {
    const headers = { "user-agent": "waiting-bot/1.0" };
    for (const path of ["/examples/shop", "/examples/blog"]) {
      let seen = false;
      while (!seen) {
        const response = await fetch(`${runner.url}${path}`, { headers });
        await response.text();
        seen = response.headers.get("cache-control") === "private";
      }
    }
  }

  async function newVisitor(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return await browser.newContext({ ...options, userAgent: visitorAgent });
  }

  async function unitOf(context: BrowserContext): Promise<string> {
    const cookies = await context.cookies();
    return cookies.find(({ name }) => name === "edgewise_visitor")?.value ?? "";
  }

  async function variantOn(page: Page): Promise<Variant> {
    const text = await page.locator(".buy").innerText();
    const variant = variants.find((each) => labels[each] === text);
    if (variant === undefined) throw new Error(`the button says ${text}`);
    return variant;
  }

  /** A new visitor on the shop's page, noted. */
  async function visitShop(context: BrowserContext) {
    const page = await context.newPage();
    await page.goto(shop);
    const variant = await variantOn(page);
    const unit = await unitOf(context);
    painted[variant].add(unit);
    return { page, variant, unit };
  }

  test("two variants in two browsers; every node and every frame of a visit is of the visitor's variant", async () => {
    const seen = new Set<Variant>();
    while (seen.size < 2) {
      const context = await newVisitor({ viewport: { width: 800, height: 600 } });
      // Before anything of the page is parsed: whatever the button ever says is kept.
      await context.addInitScript(() => {
        const texts: string[] = [];
        Object.assign(globalThis, { texts });
        new MutationObserver(() => {
          const text = document.querySelector(".buy")?.textContent;
          if (text !== undefined && text !== null && text !== "") texts.push(text);
        }).observe(document, { childList: true, subtree: true, characterData: true });
      });
      const page = await context.newPage();
      const frames = await filmed(page, async () => {
        await page.goto(shop, { waitUntil: "load" });
      });

      const variant = await variantOn(page);
      painted[variant].add(await unitOf(context));
      seen.add(variant);
      const texts = z.parse(z.array(z.string()), await page.evaluate("globalThis.texts"));
      expect(new Set(texts)).toEqual(new Set([labels[variant]]));
      await checkFrames(page, frames, variant);
      await context.close();
    }
  });

  test("automated traffic sees the control, and gets no cookie", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(shop);
    expect([await variantOn(page), await unitOf(context)]).toEqual(["control", ""]);
    await context.close();
  });

  test("two tabs of a visitor show the same, and are one unit", async () => {
    const context = await newVisitor();
    const first = await visitShop(context);
    for (let tab = 0; tab < 3; tab++) {
      const again = await visitShop(context);
      expect([again.variant, again.unit]).toEqual([first.variant, first.unit]);
    }
    await context.close();
  });

  test("pages need no script: without JavaScript the variant is there", async () => {
    const seen = new Set<Variant>();
    while (seen.size < 2) {
      const context = await newVisitor({ javaScriptEnabled: false });
      const { page, variant } = await visitShop(context);
      expect(await page.locator(".price small").count()).toBe(variant === "control" ? 0 : 1);
      seen.add(variant);
      await context.close();
    }
  });

  test("a script of the page reads the bootstrap: the variant that is painted, and the unit", async () => {
    const context = await newVisitor();
    const { page, variant, unit } = await visitShop(context);
    const text = await page.locator("#edgewise").textContent();
    expect(JSON.parse(text ?? "")).toMatchObject({
      units: { targetingKey: unit },
      flags: { shop_buy_button: { variant, experiment: "shop_buy_button", phase: 1 } },
    });
    await context.close();
  });

  test("under a policy with a nonce the style sheet applies, and nothing is reported", async () => {
    const seen = new Set<string>();
    while (seen.size < 2) {
      const context = await newVisitor();
      const page = await context.newPage();
      const violations: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") violations.push(message.text());
      });
      const response = await page.goto(blog);
      expect(response?.headers()["content-security-policy"]).toContain("nonce-");
      const heading = page.locator("article h1");
      const text = await heading.innerText();
      const colour = await heading.evaluate((element) => getComputedStyle(element).color);
      const isQuestion = text === "Is your teapot any good?";
      expect(colour).toBe(isQuestion ? "rgb(11, 87, 208)" : "rgb(34, 34, 34)");
      expect(await page.title()).toBe(isQuestion ? text : "A blog about teapots");
      expect(violations.filter((violation) => /content security/i.test(violation))).toEqual([]);
      seen.add(text);
      read[isQuestion ? "question" : "control"].add(await unitOf(context));
      await context.close();
    }
  });

  test("with cookies blocked the page is whole, of one variant, and a visit is a unit of its own", async () => {
    const profile = join(folder, "profile");
    await mkdir(join(profile, "Default"), { recursive: true });
    await writeFile(
      join(profile, "Default", "Preferences"),
      JSON.stringify({ profile: { default_content_setting_values: { cookies: 2 } } }),
    );
    const context = await chromium.launchPersistentContext(profile, {
      ...launchOptions,
      userAgent: visitorAgent,
    });
    for (let visit = 0; visit < 4; visit++) {
      const page = await context.newPage();
      await page.goto(shop);
      expect(await unitOf(context)).toBe("");
      const variant = await variantOn(page);
      const text = z.parse(
        z.object({ units: z.object({ targetingKey: z.string() }) }),
        JSON.parse((await page.locator("#edgewise").textContent()) ?? ""),
      );
      painted[variant].add(text.units.targetingKey);
      await page.close();
    }
    await context.close();
  });

  test("who buys is an outcome of the variant that was painted; what was painted is what is counted", async () => {
    const context = await newVisitor();
    const { page, variant } = await visitShop(context);
    await page.locator(".buy").click();
    await page.waitForURL("**/thanks");
    await context.close();
    await runner.drained();
    await runner.tick(new Date());
    const results = await resultsOf("shop_buy_button");
    expect(results.sampleRatio.observed).toEqual({
      control: painted.control.size,
      free_returns: painted.free_returns.size,
    });
    expect(results.metrics[0]?.variants[variant]?.sum).toBe(1);
    // The blog's exposures go to the queues by themselves, the shop's through the API.
    expect((await resultsOf("blog_headline")).sampleRatio.observed).toEqual({
      control: read.control.size,
      question: read.question.size,
    });
  });

  async function resultsOf(experiment: string) {
    const response = await fetch(`${runner.url}/api/v1/experiments/${experiment}/results`, {
      headers: {
        authorization: `Bearer ${adminKey}`,
        "x-edgewise-environment": demoEnvironment,
      },
    });
    return z.parse(resultsShape, await response.json());
  }
});

test.skipIf(chromiumPath === undefined)(
  "a page that comes slowly is painted as it comes, and every frame of it is of the visitor's variant",
  async () => {
    const style = "body { margin: 20px } .buy { width: 200px; height: 80px; background: #ddd }";
    let painted = () => {};
    const origin: RequestListener = (request, response) => {
      const answer = async () => {
        response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
        response.write(
          `<!doctype html><html><head><style>${style}</style></head><body><h1>Tea</h1>`,
        );
        // Each part is sent when the one before has been seen.
        for (const part of [`<div class="buy">Buy</div>`, "<p>pot</p>", "</body></html>"]) {
          await new Promise<void>((done) => {
            painted = done;
          });
          response.write(part);
        }
        response.end();
      };
      if (request.url === "/slow") void answer();
      else response.writeHead(204).end();
    };
    const edits = [{ action: "style", selector: ".buy", properties: { background: "#1a7f37" } }];
    const experiment = pageExperiment("slow", edits, [{ exact: "/slow" }]);
    const site = await startSite(snapshotOf([experiment]), origin);
    const browser = await chromium.launch(launchOptions);
    const seen = new Set<string>();
    for (let visits = 1; seen.size < 2; visits++) {
      const context = await browser.newContext({
        userAgent: visitorAgent,
        viewport: { width: 800, height: 600 },
      });
      const page = await context.newPage();
      const frames = await filmed(
        page,
        async () => {
          await page.goto(`${site.edited}/slow`, { waitUntil: "load" });
        },
        () => painted(),
      );
      await site.exposed(visits);
      const variant = site.exposures.at(-1)?.variant === "treatment" ? "free_returns" : "control";
      expect(frames.length).toBeGreaterThan(3);
      await checkFrames(page, frames, variant);
      seen.add(variant);
      await context.close();
    }
    await browser.close();
    await site.stop();
  },
);

/** Every frame that is painted during `visit`, and the last one, as PNG in base64. */
async function filmed(
  page: Page,
  visit: () => Promise<void>,
  onFrame: () => void = () => {},
): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const frames: string[] = [];
  session.on("Page.screencastFrame", ({ data, sessionId }) => {
    frames.push(data);
    void session.send("Page.screencastFrameAck", { sessionId });
    onFrame();
  });
  await session.send("Page.startScreencast", { format: "png", everyNthFrame: 1 });
  await visit();
  await page.evaluate(async () => {
    await new Promise((done) => {
      requestAnimationFrame(() => requestAnimationFrame(done));
    });
  });
  await session.send("Page.stopScreencast");
  return [...frames, (await page.screenshot({ type: "png" })).toString("base64")];
}

/** The button is grey in control and green in treatment; letters have some pixels of any grey. */
async function checkFrames(page: Page, frames: readonly string[], variant: Variant): Promise<void> {
  const colours = await Promise.all(frames.map(async (frame) => await coloursOf(page, frame)));
  const [own, other] =
    variant === "control" ? (["grey", "green"] as const) : (["green", "grey"] as const);
  expect(Math.max(...colours.map((counts) => counts[other]))).toBeLessThan(100);
  expect(colours.at(-1)?.[own]).toBeGreaterThan(1_000);
}

/** Pixels of the button's two colours; the browser itself decodes the picture. */
async function coloursOf(page: Page, png: string): Promise<{ grey: number; green: number }> {
  return await page.evaluate(async (data) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    if (context === null) throw new Error("no canvas");
    context.drawImage(bitmap, 0, 0);
    const { data: pixels } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let grey = 0;
    let green = 0;
    for (let at = 0; at < pixels.length; at += 4) {
      const rgb = `${pixels[at]},${pixels[at + 1]},${pixels[at + 2]}`;
      if (rgb === "221,221,221") grey += 1;
      if (rgb === "26,127,55") green += 1;
    }
    return { grey, green };
  }, png);
}
