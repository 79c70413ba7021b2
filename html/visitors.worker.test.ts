import { expect, test } from "vitest";
import { assignment, onPages, site, visitBy, visitorId } from "../test/worker-pages.ts";

/** 100,000 of them come over HTTP in bench/html-visitors.ts. */
const visitors = 9_000;

/** A page of the kinds that a site has: with the place, without it, and elsewhere. */
const shop = {
  path: "/shop/1",
  body: `<body><h1>Old</h1><p class="price">1</p></body>`,
  places: 1,
};
const pages = [
  shop,
  { path: "/shop/2", body: `<body><h2>No heading</h2></body>`, places: 0 },
  { path: "/blog", body: `<body><h1>Old</h1></body>`, places: 0 },
];

/** χ² with one degree of freedom, of observed counts against equal shares; above 10.83 one in 1,000 times by chance. */
function chiSquared([first, second]: readonly [number, number]): number {
  const expected = (first + second) / 2;
  return ((first - expected) ** 2 + (second - expected) ** 2) / expected;
}

test(
  `${visitors} visitors: equal shares, the same opportunities in control and treatment, exposed to what is painted (χ² < 10.83)`,
  { timeout: 60_000 },
  async () => {
    const experiment = onPages(
      "headline",
      { control: [], treatment: [{ action: "text", selector: "h1", text: "New" }] },
      { urls: [{ glob: "/shop/*" }] },
    );
    const { visit } = await site([experiment]);
    const assigned = assignment(experiment);
    const exposed = { control: 0, treatment: 0 };
    const opportunities = { control: 0, treatment: 0 };
    for (let n = 0; n < visitors; n++) {
      const { path, body, places } = pages[n % pages.length] ?? shop;
      const unit = visitorId(n);
      const variant = assigned(unit) === "treatment" ? "treatment" : "control";
      opportunities[variant] += places;
      const { text, exposures } = await visit(visitBy(unit, path), body);
      exposed[variant] += exposures.length;
      const isEdited = places > 0 && variant === "treatment";
      if (text !== (isEdited ? body.replace("Old", "New") : body)) {
        expect.fail(`visitor ${n} in ${variant} saw ${text}`);
      }
      if (exposures.some((exposure) => exposure.variant !== variant || exposure.unit !== unit)) {
        expect.fail(`visitor ${n} in ${variant} was exposed otherwise`);
      }
    }
    expect(exposed).toEqual(opportunities);
    expect(exposed.control + exposed.treatment).toBe(visitors / pages.length);
    expect(chiSquared([exposed.control, exposed.treatment])).toBeLessThan(10.83);
  },
);
