/** The queue ANALYSES, of all that the cron plans. At least once: every task is harmless to do twice. */

import type { Queue } from "@cloudflare/workers-types";
import * as z from "zod/mini";
import { analysisMessage } from "../contracts/analysis-message.ts";
import type { AnalysisMessage } from "../contracts/analysis-message.ts";
import { limits } from "../contracts/limits.ts";

export async function queueAnalyses(
  queue: Queue<string>,
  messages: readonly AnalysisMessage[],
): Promise<void> {
  for (let start = 0; start < messages.length; start += limits.queueBatchMessages) {
    await queue.sendBatch(
      messages
        .slice(start, start + limits.queueBatchMessages)
        .map((message) => ({ body: JSON.stringify(message), contentType: "text" })),
    );
  }
}

/** Throws when it is not of a format that is known; no later attempt would read it. */
export function readAnalysis(body: string): AnalysisMessage {
  return z.parse(analysisMessage, JSON.parse(body));
}
