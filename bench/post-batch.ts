/// <reference types="node" />
/** Sends a batch of events over a kept connection, and takes nothing but its acceptance as a whole for an answer. */
import { request } from "node:http";
import type { Agent } from "node:http";

export async function postBatch(
  { url, key, agent }: { url: string; key: string; agent: Agent },
  body: string,
): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, "content-length": Buffer.byteLength(body) };
  const { status, text } = await new Promise<{ status: number; text: string }>((done, failed) => {
    request(url, { method: "POST", headers, agent }, (response) => {
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (chunk: string) => (text += chunk))
        .on("end", () => done({ status: response.statusCode ?? 0, text }));
    })
      .once("error", failed)
      .end(body);
  });
  if (status !== 202 || !text.includes('"rejected":[]')) throw new Error(`${status}: ${text}`);
}
