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
      const chunk: { value?: unknown } = await reader.read();
      return chunk.value instanceof Uint8Array ? chunk.value : null;
    },
    cancel: async (reason) => await reader.cancel(reason),
  };
}

export interface Told {
  /** The page is no longer asked for, or cannot be had. */
  broken: () => void;
  /** The rewriter gets no more of it. */
  cut: () => void;
}

export interface Carried {
  readable: ReadableStream;
  /** When `readable` has ended: what of the page is not in it, if anything. */
  rest: Promise<ReadableStream | null>;
}

/**
 * A page, cut as `cutting` says. A stream made in JavaScript, because it gives its chunks on whole, however large; nothing is read before
 * it is asked for.
 */
export function carried(reader: ByteReader, cutting: Cutting, told: Told): Carried {
  let settle = (_rest: ReadableStream | null) => {};
  const rest = new Promise<ReadableStream | null>((settled) => {
    settle = settled;
  });
  const readOr = async (failed: () => void) => {
    try {
      return await reader.read();
    } catch (error) {
      failed();
      throw error;
    }
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const chunk = await readOr(told.broken);
          const cut = cutting(chunk);
          const pieces = cut.pieces.filter(({ byteLength }) => byteLength > 0);
          for (const piece of pieces) controller.enqueue(piece);
          if (chunk !== null && cut.rest === null) {
            if (pieces.length > 0) return;
            continue;
          }
          if (cut.rest !== null) told.cut();
          settle(cut.rest && carried(replayed([cut.rest], reader), asItComes, told).readable);
          controller.close();
          return;
        }
      },
      async cancel(reason) {
        told.broken();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { readable, rest };
}

/** A reader that has been read from, with what was read. */
export function replayed(chunks: readonly Uint8Array[], reader: ByteReader): ByteReader {
  const first = [...chunks];
  return {
    read: async () => first.shift() ?? (await reader.read()),
    cancel: async (reason) => await reader.cancel(reason),
  };
}

/** One stream after another. */
export function followedBy(
  first: ReadableStream,
  rest: Promise<ReadableStream | null>,
): ReadableStream {
  let reader = byteReader(first);
  let isFirst = true;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let chunk = await reader.read();
        const more = chunk === null && isFirst ? await rest : null;
        if (more !== null) {
          isFirst = false;
          reader = byteReader(more);
          chunk = await reader.read();
        }
        if (chunk === null) controller.close();
        // The reader goes on to use the buffer that it is in.
        else controller.enqueue(chunk.slice());
      },
      cancel: async (reason) => await reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
