/**
 * An OpenFeature web hook for the OFREP web provider, whose bulk evaluation exposes nobody: posts the exposure when a flag is read,
 * once a page for each unit and variant. It never throws into an evaluation; an exposure that could not be sent is sent with
 * the next read.
 */

import type { EvaluationDetails, FlagValue, Hook } from "@openfeature/web-sdk";

export interface ExposureHookOptions {
  /** Where Edgewise is: `https://flags.example.com`. */
  baseUrl: string;
  /** A client key. */
  key: string;
  fetchImplementation?: typeof fetch;
}

export interface ExposureHook extends Hook {
  after(context: unknown, details: EvaluationDetails<FlagValue>): void;
  /** Resolves when nothing is on its way. */
  settled(): Promise<void>;
}

interface Exposure {
  type: "exposure";
  experiment: string;
  phase: number;
  variant: string;
  unit: string;
  timestamp: string;
  sdk: string;
  attributes: Record<string, string | number | boolean>;
}

const sdk = "edgewise-openfeature-hook";
const dimensionPrefix = "dimension.";

/** Of one request: Edgewise takes 1,000 events, and a browser lets a page that is left send 64 KiB. */
const eventsAtOnce = 100;

export function exposureHook(options: ExposureHookOptions): ExposureHook {
  const { baseUrl, key, fetchImplementation = (...request) => fetch(...request) } = options;
  const seen = new Set<string>();
  let waiting: Exposure[] = [];
  let sending = Promise.resolve();

  async function post(events: Exposure[]): Promise<void> {
    const response = await fetchImplementation(`${baseUrl}/api/v1/events/batch`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ sentAt: new Date().toISOString(), events }),
      keepalive: true,
    });
    if (!response.ok && (response.status >= 500 || response.status === 429)) {
      throw new Error(`answered ${response.status}`);
    }
  }

  async function send(): Promise<void> {
    const events = waiting.splice(0, eventsAtOnce);
    if (events.length === 0) return;
    try {
      await post(events);
    } catch {
      waiting = [...events, ...waiting];
      return;
    }
    await send();
  }

  return {
    after(_context, { flagMetadata }) {
      const exposure = exposureIn(flagMetadata);
      if (exposure === null) return;
      const { experiment, phase, variant, unit } = exposure;
      const identity = JSON.stringify([experiment, phase, variant, unit]);
      if (!seen.has(identity)) {
        seen.add(identity);
        waiting.push(exposure);
      }
      if (waiting.length > 0) sending = sending.then(send);
    },
    async settled() {
      await sending;
    },
  };
}

/** Null where no experiment assigned. */
function exposureIn(metadata: EvaluationDetails<FlagValue>["flagMetadata"]): Exposure | null {
  const { experiment, phase, variant, unit } = metadata;
  const attributes = Object.fromEntries(
    Object.entries(metadata)
      .filter(([name]) => name.startsWith(dimensionPrefix))
      .map(([name, value]) => [name.slice(dimensionPrefix.length), value]),
  );
  const timestamp = new Date().toISOString();
  return typeof experiment === "string" &&
    typeof phase === "number" &&
    typeof variant === "string" &&
    typeof unit === "string"
    ? { type: "exposure", experiment, phase, variant, unit, timestamp, sdk, attributes }
    : null;
}
