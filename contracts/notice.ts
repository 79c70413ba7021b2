/**
 * What somebody should be told, and how it is sent to a webhook: as Standard Webhooks (https://www.standardwebhooks.com) describes it,
 * so that its libraries verify it. At least once; `webhook-id` is the same at every attempt.
 */

export const noticeKinds = [
  /** A guardrail alarmed; the experiment is paused. */
  "guardrail.breached",
  /** Units do not arrive in the planned shares. */
  "sample-ratio.mismatched",
  /** A primary metric crossed its boundary at a look. */
  "boundary.crossed",
  /** The last look was taken, or every ledger is closed. */
  "plan.completed",
  /** Events wait to be counted for longer than they may. */
  "pipeline.lagging",
  /** The cron failed, or analyses did. */
  "cron.failing",
] as const;

export type NoticeKind = (typeof noticeKinds)[number];

export interface Notice {
  /** The event id. */
  id: string;
  /** What it is about: one environment tells a key once. */
  key: string;
  kind: NoticeKind;
  /** ISO-8601. */
  at: string;
  /** Null: about no one experiment. */
  experiment: string | null;
  /** One sentence. */
  summary: string;
  data: object;
}

/** The body of a delivery. */
export function noticeBody(environment: string, notice: Notice): string {
  const { id, kind, at, experiment, summary, data } = notice;
  return JSON.stringify({ id, type: kind, timestamp: at, environment, experiment, summary, data });
}
