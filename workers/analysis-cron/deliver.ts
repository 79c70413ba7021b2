/**
 * Sends one notice to one webhook. At least once: a delivery that was not reported, for whatever reason, is attempted again with growing
 * pauses over a day, then given up. Only the status of the answer is read, and no redirection is followed.
 */

import type { DeliverMessage } from "../../contracts/analysis-message.ts";
import type { Delivery, WebhookStore } from "../../stores/webhook-store.ts";
import { signature } from "./webhook-signature.ts";

export interface DeliverServices {
  webhooks: Pick<WebhookStore, "claim" | "delivered" | "failed">;
  send: (request: Request) => Promise<Response>;
  nowMs: () => number;
}

const minuteMs = 60_000;
const longestPauseMs = 6 * 60 * minuteMs;
/** The last one some 21 hours after the first. */
const mostAttempts = 12;
const timeoutMs = 10_000;

export function planDeliveries(due: readonly Delivery[]): DeliverMessage[] {
  return due.map(({ notice, webhook, attempts }) => ({
    v: 1,
    task: "deliver",
    notice,
    webhook,
    attempts,
  }));
}

export async function deliver(
  { webhooks, send, nowMs }: DeliverServices,
  { notice, webhook, attempts }: DeliverMessage,
): Promise<void> {
  const pauseMs = Math.min(longestPauseMs, minuteMs * 2 ** attempts);
  const sending = await webhooks.claim({ notice, webhook, attempts }, nowMs() + pauseMs);
  if (sending === null) return;
  const { url, secret, body } = sending;
  const timestamp = String(Math.floor(nowMs() / 1_000));
  const request = new Request(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "Edgewise-Webhooks/1",
      "webhook-id": notice,
      "webhook-timestamp": timestamp,
      "webhook-signature": await signature(secret, { id: notice, timestamp, body }),
    },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  const error = await attempt(send, request);
  if (error === null) {
    await webhooks.delivered(sending, new Date(nowMs()).toISOString());
    return;
  }
  const isLast = attempts + 1 >= mostAttempts;
  await webhooks.failed(sending, error, isLast);
  console.error(JSON.stringify({ event: "delivery-failed", notice, webhook, error, isLast }));
}

async function attempt(send: DeliverServices["send"], request: Request): Promise<string | null> {
  try {
    const response = await send(request);
    await response.body?.cancel();
    return response.status >= 200 && response.status < 300 ? null : `answered ${response.status}`;
  } catch (error) {
    return String(error).slice(0, 500);
  }
}
