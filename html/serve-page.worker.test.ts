import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { evaluate, compile } from "../core/index.ts";
import { onPages, site, visitBy, visitorId } from "../test/worker-pages.ts";

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

/** Visitors that the experiment gives this variant, found by core alone. */
function unitsIn(variant: string, { flag, experiment } = headline): string[] {
  const compiled = compile({
    formatVersion: 1,
    environment: "e",
    version: 1,
    flags: [flag],
    experiments: [experiment],
    holdouts: [],
    segments: [],
  });
  return Array.from({ length: 40 }, (_, n) => visitorId(n)).filter(
    (unit) => evaluate(compiled, flag.key, { targetingKey: unit }).variant === variant,
  );
}

const [treated = ""] = unitsIn("treatment");
const [controlled = ""] = unitsIn("control");

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
    ["a page without the place", "/", "<html><body><h2>Other</h2></body></html>"],
    ["a page where the place comes twice", "/", `${page}<h1>Old</h1>`],
  ])("on %s control and treatment are exposed alike", async (_name, path, body) => {
    const { visit } = await site([headline]);
    const counts = await Promise.all(
      [treated, controlled].map(
        async (unit) => (await visit(visitBy(unit, path), body)).exposures.length,
      ),
    );
    expect(counts).toEqual(body.includes("<h1") ? [1, 1] : [0, 0]);
  });
});
