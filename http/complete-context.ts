/**
 * What the edge knows of a visitor, for requests that come from the visitor's own device: from `request.cf` and headers.
 * An attribute that the caller supplied stands, whatever it is.
 */

import type { Context } from "../core/types.ts";
import { deviceOf, isBot } from "./device.ts";

const fromNetwork = ["country", "region", "city", "continent", "timezone", "asn", "colo"] as const;

export function completeContext(
  context: Context,
  { headers, cf }: { headers: Headers; cf?: unknown },
): Context {
  const userAgent = headers.get("user-agent") ?? "";
  const observed: Context = { device: deviceOf(userAgent), bot: isBot(userAgent) };
  const country = headers.get("cf-ipcountry");
  if (country !== null) observed["country"] = country;
  if (typeof cf === "object" && cf !== null) {
    const network = new Map(Object.entries(cf));
    for (const name of fromNetwork) {
      const value: unknown = network.get(name);
      if (typeof value === "string" || typeof value === "number") observed[name] = value;
    }
  }
  return { ...observed, ...context };
}
