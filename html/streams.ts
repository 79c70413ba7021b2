/**
 * Carries bytes from one stream to another without holding more than a chunk: what is read is written before more is read, so that a
 * slow reader slows the origin and a large page takes no memory.
 */

/** HTMLRewriter ends with an error when a tag that it must look at takes more than 3 MiB; see `guarded`. */
const longestTagBytes = 2_000_000;
const tagEnd = 0x3e;
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

/** `first`, then what `reader` gives. */
function withFirst(first: Uint8Array, reader: ByteReader): ByteReader {
  let waiting: Uint8Array | null = first;
  return {
    async read() {
      const chunk = waiting ?? (await reader.read());
      waiting = null;
      return chunk;
    },
    cancel: async (reason) => await reader.cancel(reason),
  };
}

/** Resolves at the end; rejects when either side fails, and lets the other know. */
async function carry(reader: ByteReader, writer: WritableStreamDefaultWriter): Promise<void> {
  try {
    for (;;) {
      const chunk = await reader.read();
      if (chunk === null) return;
      await writer.write(chunk);
    }
  } catch (error) {
    await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
    throw error;
  }
}

/**
 * `source`, then what `rest` gives once it has ended. `ended` is called when all is delivered, or when the reader has left or the source
 * has failed, with the error then; `done` resolves after that.
 */
export function followed(
  source: ReadableStream,
  rest: () => ByteReader | null,
  ended: (error: unknown) => void,
): { readable: ReadableStream; done: Promise<void> } {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const deliver = async () => {
    try {
      await carry(byteReader(source), writer);
      const unread = rest();
      if (unread !== null) await carry(unread, writer);
      await writer.close();
      ended(null);
    } catch (error) {
      ended(error);
    }
  };
  return { readable, done: deliver() };
}

/** A page on its way to the rewriter. */
export interface Input {
  readable: ReadableStream;
  /** What was kept from the rewriter, once it has ended. */
  rest: () => ByteReader | null;
}

/**
 * What a rewriter may be given: `beginning`, then the rest of the page, up to a place where a single tag could be too long for it.
 * `stopped` is called there; what follows is had from `rest`, and the rewriter ends, with all that it was given, before it.
 */
export function guarded(
  reader: ByteReader,
  beginning: readonly Uint8Array[],
  later: (work: Promise<unknown>) => void,
  stopped: () => void,
): Input {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  let unread: ByteReader | null = null;
  const feed = async () => {
    let sinceTagEnd = 0;
    const chunks = [...beginning];
    for (;;) {
      const chunk = chunks.shift() ?? (await reader.read());
      if (chunk === null) break;
      const at = chunk.lastIndexOf(tagEnd);
      sinceTagEnd = at === -1 ? sinceTagEnd + chunk.byteLength : chunk.byteLength - at - 1;
      if (sinceTagEnd > longestTagBytes) {
        stopped();
        unread = withFirst(chunk, reader);
        break;
      }
      await writer.write(chunk);
    }
    await writer.close();
  };
  later(
    feed().catch(async (error: unknown) => {
      await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
    }),
  );
  return { readable, rest: () => unread };
}
