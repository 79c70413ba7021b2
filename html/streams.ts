/**
 * Carries a page to the rewriter without holding more of it than a chunk and a tag: nothing is read before it is asked for, so that a
 * slow reader slows the origin and a large page takes no memory.
 */

import { asItComes } from "./page-cutter.ts";
import type { Cutting } from "./page-cutter.ts";

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
      const read: { done: boolean; value?: unknown } = await reader.read();
      return read.done ? null : bytesOf(read.value);
    },
    cancel: async (reason) => await reader.cancel(reason),
  };
}

/** What the runtime takes for bytes in a body, and throws at what it does not: a page must not end there as if it were whole. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  throw new TypeError("This ReadableStream did not return bytes.");
}

export interface Told {
  /** The page is no longer asked for, or cannot be had. */
  broken: () => void;
  /** Before what was given ends: what would be written there is not in the page's own place. */
  cut: (rest: ReadableStream | null) => void;
}

/** An element of no page: the rest of it, which is not for the rewriter, goes there. */
export const restMark = "edgewise-rest";

/**
 * A page, cut as `cutting` says. A stream made in JavaScript, because it gives its chunks on whole, however large; nothing is read before
 * it is asked for.
 */
export function carried(reader: ByteReader, cutting: Cutting, told: Told): ReadableStream {
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
          const chunk = await readOr(told.broken);
          const { pieces, rest, isOpen } = cutting(chunk);
          const some = pieces.filter(({ byteLength }) => byteLength > 0);
          for (const piece of some) controller.enqueue(piece);
          if (rest !== null) {
            told.cut(asText(carried(replayed([rest], reader), asItComes, told)));
            controller.enqueue(new TextEncoder().encode(`<${restMark}></${restMark}>`));
          } else if (isOpen) told.cut(null);
          if (chunk === null || rest !== null) controller.close();
          if (chunk === null || rest !== null || some.length > 0) return;
        }
      },
      async cancel(reason) {
        told.broken();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The rewriter takes nothing else from a stream: what is not UTF-8 becomes what a browser makes of it. */
function asText(stream: ReadableStream): ReadableStream {
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream());
}

/** A reader that has been read from, with what was read. */
export function replayed(chunks: readonly Uint8Array[], reader: ByteReader): ByteReader {
  const first = [...chunks];
  return {
    read: async () => first.shift() ?? (await reader.read()),
    cancel: async (reason) => await reader.cancel(reason),
  };
}
