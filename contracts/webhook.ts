/** The body of a webhook (`POST /api/v1/webhooks`), and which addresses Edgewise sends to. */

import * as z from "zod/mini";
import { noticeKinds } from "./notice.ts";

const urlLength = 2_000;

export const webhookBody = z.strictObject({
  url: z.string().check(z.maxLength(urlLength)),
  events: z._default(
    z
      .array(z.enum(noticeKinds, { error: `Use ${noticeKinds.join(", ")}.` }))
      .check(z.minLength(1, { error: "Name at least one event, or leave events out for all." })),
    [...noticeKinds],
  ),
});

export type WebhookBody = z.output<typeof webhookBody>;

/** Names that are never a public host. */
const privateNames =
  /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|test|invalid|example|onion|arpa)$/;

/**
 * Why nothing is sent there; null when it may be. Only https, to a public name: an address in numbers, or a name of an inner network, could
 * reach what stands behind. A local Edgewise may also send to itself.
 */
export function webhookUrlFault(text: string, isLocal: boolean): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return "This is no URL.";
  if (url.username !== "" || url.password !== "") return "Leave credentials out of the URL.";
  const host = url.hostname.replace(/\.$/, "").toLowerCase();
  if (isLocal && isLoopback(host)) {
    return url.protocol === "http:" || url.protocol === "https:" ? null : "Use http or https.";
  }
  if (url.protocol !== "https:") return "Use https.";
  const isAddress = host.startsWith("[") || /^[\d.]+$/.test(host);
  if (isAddress) return "Name a host; an address in numbers is not sent to.";
  if (!host.includes(".") || privateNames.test(host)) return `${host} is not a public host.`;
  return null;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "127.0.0.1" || host === "[::1]";
}
