/** A customer `demo` with running experiments, made through the public API the first time that Edgewise starts on an empty state. */

import * as z from "zod/mini";

export const demoEnvironment = "demo/production" as const;

const metrics = [
  { key: "purchased", name: "Purchased", type: "proportion", event: "purchase", windowHours: 1 },
  { key: "subscribed", name: "Subscribed", type: "proportion", event: "subscribe", windowHours: 1 },
];

const plan = { baseline: 0.1, minimumDetectableEffect: 0.1 };

/** The first is of a flag that any client evaluates; the others are on the pages of examples/. */
const experiments = [
  {
    key: "checkout_button",
    name: "Checkout button",
    hypothesis: "Naming the next step makes more visitors take it",
    variants: [
      { key: "control", weight: 50, value: "Continue", isControl: true },
      { key: "next_step", weight: 50, value: "Continue to payment" },
    ],
    metrics: { primary: ["purchased"] },
    plan,
  },
  {
    key: "shop_buy_button",
    name: "Buy button of the shop",
    hypothesis: "A green button that promises free returns is pressed more often",
    variants: [
      { key: "control", weight: 50, value: {}, isControl: true },
      {
        key: "free_returns",
        weight: 50,
        value: {
          pageEdits: [
            {
              urls: [{ exact: "/examples/shop" }],
              edits: [
                { action: "text", selector: ".buy", text: "Buy now, return for free" },
                {
                  action: "style",
                  selector: ".buy",
                  properties: { background: "#1a7f37", color: "white" },
                },
                {
                  action: "insert",
                  selector: ".price",
                  position: "append",
                  html: " <small>with free shipping</small>",
                },
              ],
            },
          ],
        },
      },
    ],
    metrics: { primary: ["purchased"] },
    plan,
  },
  {
    key: "blog_headline",
    name: "Headline of the blog",
    hypothesis: "A question makes more readers subscribe",
    variants: [
      { key: "control", weight: 50, value: {}, isControl: true },
      {
        key: "question",
        weight: 50,
        value: {
          pageEdits: [
            {
              urls: [{ glob: "/examples/blog*" }],
              edits: [
                { action: "text", selector: "article h1", text: "Is your teapot any good?" },
                {
                  action: "html",
                  selector: ".standfirst",
                  html: "We tested <b>forty</b>. One is left.",
                },
                { action: "title", text: "Is your teapot any good?" },
                { action: "stylesheet", css: "article h1 { color: #0b57d0 }" },
              ],
            },
          ],
        },
      },
    ],
    metrics: { primary: ["subscribed"] },
    plan,
  },
];

/** A client key of the demo environment. What a start that was cut short has made already is left as it is. */
export async function seedDemo(url: string, adminKey: string): Promise<string> {
  const call = async (path: string, body: object): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${adminKey}`,
        "x-edgewise-environment": demoEnvironment,
      },
      body: JSON.stringify(body),
    });
    const isThere = response.status === 409 || response.status === 422;
    if (response.ok || isThere) return await response.json();
    throw new Error(`the demo could not be made: ${await response.text()}`);
  };
  for (const metric of metrics) await call("/metrics", metric);
  for (const experiment of experiments) {
    await call("/experiments", experiment);
    await call(`/experiments/${experiment.key}/start`, {});
  }
  const key = await call("/keys", { kind: "client", name: "demo" });
  return z.parse(z.object({ secret: z.string() }), key).secret;
}
