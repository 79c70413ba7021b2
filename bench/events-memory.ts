/** What an isolate holds while `bench/events.ts` runs, as V8 tells its inspector: objects with their garbage, and buffers. */
import * as z from "zod/mini";

const POLL_MS = 50;
const targets = z.array(z.object({ id: z.string(), webSocketDebuggerUrl: z.string() }));
const usage = z.object({
  result: z.object({ usedSize: z.number(), backingStorageSize: z.number() }),
});

export interface HeapWatch {
  /** The most that was held at one of some twenty looks a second. */
  peakBytes(): { objects: number; buffers: number };
  stop(): void;
}

export async function watchHeap(inspector: URL, worker: string): Promise<HeapWatch> {
  const listed = await fetch(new URL("/json", inspector.href.replace(/^ws/, "http")));
  const target = z.parse(targets, await listed.json()).find(({ id }) => id.includes(worker));
  if (target === undefined) throw new Error(`the inspector does not know ${worker}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((open, failed) => {
    socket.addEventListener("open", open, { once: true });
    socket.addEventListener("error", failed, { once: true });
  });
  let peak = { objects: 0, buffers: 0 };
  let id = 0;
  const ask = () => socket.send(JSON.stringify({ id: id++, method: "Runtime.getHeapUsage" }));
  socket.addEventListener("message", ({ data }) => {
    const read = z.safeParse(usage, JSON.parse(String(data)));
    if (!read.success) return;
    const { usedSize: objects, backingStorageSize: buffers } = read.data.result;
    if (objects + buffers > peak.objects + peak.buffers) peak = { objects, buffers };
  });
  const polling = setInterval(ask, POLL_MS);
  return {
    peakBytes: () => peak,
    stop() {
      clearInterval(polling);
      socket.close();
    },
  };
}
