import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../core/index.ts";
import { htmlOf, onPages, site, unitsIn, visitBy } from "../test/worker-pages.ts";

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
const [controlled = ""] = unitsIn("control", headline);

describe("what a visitor sees and what is logged", () => {
  test("treatment sees the edit, control the origin's page; both are exposed", async () => {
    const { visit } = await site([headline]);
    const inTreatment = await visit(treated, page);
    expect(inTreatment.text).toBe(page.replace("Old", "New"));
    expect(inTreatment.exposures).toMatchObject([
      {
        type: "exposure",
        experiment: "headline",
        phase: 1,
        variant: "treatment",
        kind: "targetingKey",
        unit: treated,
        source: "edge",
        attributes: { device: "desktop" },
      },
    ]);
    const inControl = await visit(controlled, page);
    expect(inControl.text).toBe(page);
    expect(inControl.exposures).toMatchObject([{ variant: "control", unit: controlled }]);
  });

  test.each([
    ["without the place", "<html><body><h2>Other</h2></body></html>", 0],
    ["where the place comes twice", `${page}<h1>Old</h1>`, 1],
  ])("on a page %s control and treatment are exposed alike", async (_name, body, times) => {
    const { visit } = await site([headline]);
    for (const unit of [treated, controlled]) {
      expect((await visit(visitBy(unit), body)).exposures).toHaveLength(times);
    }
  });

  test("places of a third variant expose all, also where the visitor's own has none", async () => {
    const three = onPages("three", {
      control: [],
      second: [{ action: "text", selector: "h1", text: "Second" }],
      third: [{ action: "remove", selector: ".banner" }],
    });
    const { visit } = await site([three]);
    for (const variant of ["control", "second", "third"]) {
      const [unit = ""] = unitsIn(variant, three);
      const onlyBanner = await visit(visitBy(unit), `<p class="banner">Sale</p>`);
      expect(onlyBanner.exposures).toMatchObject([{ experiment: "three", variant }]);
      expect(onlyBanner.text).toBe(variant === "third" ? "" : `<p class="banner">Sale</p>`);
      expect((await visit(visitBy(unit), "<p>none</p>")).exposures).toEqual([]);
    }
  });

  test("a variant of the flag that the experiment does not have is looked for by nobody", async () => {
    const { flag, experiment } = onPages("two_of_three", {
      control: [],
      treatment: [{ action: "text", selector: "h1", text: "New" }],
      retired: [{ action: "text", selector: "p", text: "Retired" }],
    });
    const variants = ["control", "treatment"].map((variant) => ({
      variant,
      weightBasisPoints: 5_000,
    }));
    const { visit } = await site([{ flag, experiment: { ...experiment, variants } }]);
    expect((await visit(visitBy(treated), "<p>Text</p>")).exposures).toEqual([]);
    expect((await visit(visitBy(treated), "<h1>Old</h1>")).exposures).toHaveLength(1);
  });

  test("the address rule decides for every variant alike; elsewhere the response is the origin's own", async () => {
    const shop = onPages(
      "headline",
      {
        control: [],
        treatment: [{ action: "text", selector: "h1", text: "New" }],
      },
      { urls: [{ glob: "/shop/*" }] },
    );
    const { visit } = await site([shop]);
    for (const unit of [treated, controlled]) {
      const origin = htmlOf(page);
      const context = await visit(visitBy(unit, "/blog"), async () => origin);
      expect(context.response).toBe(origin);
      expect(context.exposures).toEqual([]);
      expect((await visit(visitBy(unit, "/shop/1"), page)).exposures).toHaveLength(1);
    }
  });

  test("a unit outside the experiment's traffic keeps its cookie, sees the default and is not exposed", async () => {
    const outside = onPages(
      "headline",
      { control: [], treatment: [{ action: "text", selector: "h1", text: "New" }] },
      { slots: [] },
    );
    const { visit } = await site([outside]);
    const { response, text, exposures } = await visit("https://shop.example/", page);
    expect(text).toBe(page);
    expect(exposures).toEqual([]);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(response.headers.get("cache-control")).toBe("private");
  });

  test("a plain flag edits pages and exposes nobody; an override likewise", async () => {
    const edits = [{ action: "text", selector: "h1", text: "New" }];
    const { flag } = onPages("plain", { off: [], on: edits });
    const { visit } = await site([
      { flag: { ...flag, rules: [{ serve: "on" }] } },
      {
        flag: { ...headline.flag, overrides: { treatment: [controlled] } },
        experiment: headline.experiment,
      },
    ]);
    const { text, exposures } = await visit(visitBy(controlled), page);
    expect(text).toBe(page.replace("Old", "New"));
    expect(exposures).toEqual([]);
  });

  test("two experiments in what the other removes: no place is seen, none is logged", async () => {
    const removing = onPages("removing", {
      control: [],
      treatment: [{ action: "remove", selector: "#side" }],
    });
    const inside = onPages("inside", {
      control: [],
      treatment: [{ action: "text", selector: "#side b", text: "x" }],
    });
    const { visit } = await site([removing, inside]);
    const [removes = ""] = unitsIn("treatment", removing);
    const [keeps = ""] = unitsIn("control", removing);
    const body = `<div id="side"><b>y</b></div>`;
    const experimentsMet = async (unit: string) =>
      (await visit(visitBy(unit), body)).exposures.map(({ experiment }) => experiment);
    expect(await experimentsMet(removes)).toEqual(["removing"]);
    expect(await experimentsMet(keeps)).toEqual(["removing", "inside"]);
  });
});

describe("who is nobody sees the control and is counted nowhere", () => {
  // The control of an experiment in a flag of its own is not that flag's default.
  const inFlag = onPages("headline", {
    fallback: [{ action: "text", selector: "h1", text: "Fallback" }],
    control: [{ action: "text", selector: "h1", text: "Control" }],
    treatment: [{ action: "text", selector: "h1", text: "New" }],
  });
  const experiment = {
    ...inFlag.experiment,
    control: "control",
    variants: ["control", "treatment"].map((variant) => ({ variant, weightBasisPoints: 5_000 })),
  };
  const made = [{ flag: inFlag.flag, experiment }];
  const bot = { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)" };

  test.each([
    ["a bot", {}, bot],
    ["a visitor without consent", { consent: () => false }, {}],
    ["a visitor whose own id is missing", { visitor: { header: "x-user" } }, {}],
  ])("%s", async (_name, behaviour, headers) => {
    const { visit } = await site(made, behaviour);
    const { response, text, exposures } = await visit(visitBy(treated, "/", headers), page);
    expect(text).toBe(page.replace("Old", "Control"));
    expect(exposures).toEqual([]);
    expect(response.headers.getSetCookie()).toEqual([]);
    // A shared cache must not serve it to others.
    expect(response.headers.get("cache-control")).toBe("private");
  });
});

describe("targeting", () => {
  test("by what the edge knows and by the site's own attributes", async () => {
    const { flag, experiment } = headline;
    const targeting = { $and: [{ device: "mobile" }, { plan: "team" }] };
    const { visit } = await site([{ flag, experiment: { ...experiment, targeting } }], {
      attributes: async (request) => ({ plan: request.headers.get("x-plan") }),
    });
    const phone = { "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Mobile" };
    const inIt = await visit(visitBy(treated, "/", { ...phone, "x-plan": "team" }), page);
    expect(inIt.text).toContain("New");
    expect(inIt.exposures).toMatchObject([{ attributes: { device: "mobile" } }]);
    const outside = await visit(visitBy(treated, "/", { "x-plan": "team" }), page);
    expect(outside.text).toBe(page);
    expect(outside.exposures).toEqual([]);
  });
});

describe("the bootstrap", () => {
  const parse = (text: string): JsonObject =>
    JSON.parse(
      /<script type="application\/json" id="edgewise">(.*?)<\/script>/.exec(text)?.[1] ?? "",
    );

  test("tells what flags serve to this unit, and what reporting an exposure takes; neither edits nor rules", async () => {
    const { visit } = await site([headline], { bootstrap: ["headline", "unknown"] });
    const { text, exposures } = await visit(visitBy(treated), page);
    expect(parse(text)).toEqual({
      version: expect.any(Number),
      units: { targetingKey: treated },
      flags: {
        headline: {
          value: {},
          variant: "treatment",
          reason: "SPLIT",
          experiment: "headline",
          phase: 1,
          unitKind: "targetingKey",
        },
      },
    });
    expect(exposures).toHaveLength(1);
  });

  test("no value can end it or begin a script", async () => {
    const value = { html: "</script><script>alert(1)</script><!--", text: "é\u2028" };
    const { flag } = onPages("text", { only: [] });
    const { visit } = await site(
      [{ flag: { ...flag, variants: [{ key: "only", value }], rules: [] } }],
      { bootstrap: "all" },
    );
    const { text, exposures } = await visit(visitBy(treated), page);
    expect(text.match(/<\/?script/g)).toHaveLength(2);
    expect(parse(text)).toMatchObject({ flags: { text: { value } } });
    expect(exposures).toEqual([]);
  });

  test("is not for nobody's unit", async () => {
    const { visit } = await site([headline], { bootstrap: "all", consent: () => false });
    const { text } = await visit(visitBy(treated), page);
    expect(parse(text)).toMatchObject({ units: {}, flags: { headline: { variant: "control" } } });
  });
});
