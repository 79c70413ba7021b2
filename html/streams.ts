/**
 * Carries a page to the rewriter without holding more of it than a chunk and a tag: nothing is read before it is asked for, so that a
 * slow reader slows the origin and a large page takes no memory.
 */

import type { Cutting } from "./whole-tags.ts";

/** The runtime's own readers give 4 KB at once, and each chunk costs more than its bytes. */
const chunkBytes = 65_536;

export interface ByteReader {
  /** Null at the end. The bytes are good until the next read. */
  read(): Promise<Uint8Array | null>;
  cancel(reason: unknown): Promise<void>;
}

export function byteReader(stream: ReadableStream): ByteReader {
  const reader = intoBuffer(stream);
  if (reader === null) return plainReader(stream.getReader());
  let buffer: ArrayBufferLike | null = new ArrayBuffer(chunkBytes);
  return {
    async read() {
      if (buffer === null) return null;
      const { done, value } = await reader.read(new Uint8Array(buffer, 0, chunkBytes));
      // The buffer comes back with what was read, and not at all at the end.
      buffer = done ? null : value.buffer;
      return done ? null : value;
    },
    cancel: async (reason) => await reader.cancel(reason),
  };
}

/** Null for streams that a worker made itself of anything but bytes. */
function intoBuffer(stream: ReadableStream): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

function plainReader(reader: ReadableStreamDefaultReader): ByteReader {
  return {
    async read() {
      const chunk: { value?: unknown } = await reader.read();
      return chunk.value instanceof Uint8Array ? chunk.value : null;
    },
    cancel: async (reason) => await reader.cancel(reason),
  };
}

/** Nothing is kept. */
export const asItComes: Cutting = (chunk) => (chunk === null ? [] : [chunk]);

/**
 * `beginning`, then the rest, cut as `cutting` says. A stream made in JavaScript, because it gives its chunks on whole, however large;
 * nothing is read before it is asked for. `broken` is called when it is no longer asked for, or cannot be had.
 */
export function carried(
  reader: ByteReader,
  beginning: readonly Uint8Array[],
  cutting: Cutting,
  broken: () => void,
): ReadableStream {
  const chunks = [...beginning];
  const readOr = async (failed: () => void) => {
    try {
      return await reader.read();
    } catch (error) {
      failed();
      throw error;
    }
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const chunk = chunks.shift() ?? (await readOr(broken));
          const pieces = cutting(chunk).filter(({ byteLength }) => byteLength > 0);
          for (const piece of pieces) controller.enqueue(piece);
          if (chunk === null) controller.close();
          if (pieces.length > 0 || chunk === null) return;
        }
      },
      async cancel(reason) {
        broken();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
