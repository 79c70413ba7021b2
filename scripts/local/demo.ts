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

/** A client key of the demo environment, or null when it exists already. */
export async function seedDemo(url: string, adminKey: string): Promise<string | null> {
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminKey}`,
        "x-edgewise-environment": demoEnvironment,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`the demo could not be made: ${await response.text()}`);
    return await response.json();
  };
  const { experiments } = z.parse(
    z.object({ experiments: z.array(z.unknown()) }),
    await call("GET", "/experiments"),
  );
  if (experiments.length > 0) return null;
  await call("POST", "/metrics", metric);
  await call("POST", "/experiments", experiment);
  await call("POST", `/experiments/${experiment.key}/start`);
  const { secret } = z.parse(
    z.object({ secret: z.string() }),
    await call("POST", "/keys", { kind: "client", name: "demo" }),
  );
  return secret;
}
