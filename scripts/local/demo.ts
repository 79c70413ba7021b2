/** A customer `demo` with one running experiment, made through the public API the first time that Edgewise starts on an empty state. */

import * as z from "zod/mini";

export const demoEnvironment = "demo/production" as const;

const metric = {
  key: "purchased",
  name: "Purchased",
  type: "proportion",
  event: "purchase",
  windowHours: 1,
};

const experiment = {
  key: "checkout_button",
  name: "Checkout button",
  hypothesis: "Naming the next step makes more visitors take it",
  variants: [
    { key: "control", weight: 50, value: "Continue", isControl: true },
    { key: "next_step", weight: 50, value: "Continue to payment" },
  ],
  metrics: { primary: ["purchased"] },
  plan: { baseline: 0.1, minimumDetectableEffect: 0.1 },
};

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
  await call("/metrics", metric);
  await call("/experiments", experiment);
  await call(`/experiments/${experiment.key}/start`, {});
  const key = await call("/keys", { kind: "client", name: "demo" });
  return z.parse(z.object({ secret: z.string() }), key).secret;
}
