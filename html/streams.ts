/**
 * Carries bytes from one stream to another without holding more than a chunk: what is read is written before more is read, so that a
 * slow reader slows the origin and a large page takes no memory.
 */

/** HTMLRewriter ends with an error when a tag that it must look at takes more than 3 MiB; see `guarded`. */
const longestTagBytes = 2_000_000;
const tagEnd = 0x3e;

type Reader = ReadableStreamDefaultReader;

/** Null at the end. */
async function bytesOf(reader: Reader): Promise<Uint8Array | null> {
  const chunk: { value?: unknown } = await reader.read();
  return chunk.value instanceof Uint8Array ? chunk.value : null;
}

/** Resolves at the end; rejects when either side fails, and lets the other know. */
async function carry(
  reader: Reader,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    for (;;) {
      const value = await bytesOf(reader);
      if (value === null) return;
      await writer.write(value);
    }
  } catch (error) {
    await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
    throw error;
  }
}

/**
 * `source`, then what `rest` gives once it has ended. `ended` is called when all is delivered, or when the reader has left or the source
 * has failed, and is waited for.
 */
export function followed(
  source: ReadableStream,
  rest: () => Reader | null,
  ended: (error: unknown) => void,
): { readable: ReadableStream; done: Promise<void> } {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const deliver = async () => {
    try {
      await carry(source.getReader(), writer);
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

export interface Guarded {
  readable: ReadableStream;
  /** What was kept from the rewriter. */
  rest: () => Reader | null;
}

/**
 * What a rewriter may be given: `beginning`, then the rest of the page, up to a place where a single tag could be too long for it.
 * `stopped` is called there; what follows is had from `rest`, and the rewriter ends, with all that it was given, before it.
 */
export function guarded(
  reader: Reader,
  beginning: readonly Uint8Array[],
  later: (work: Promise<unknown>) => void,
  stopped: () => void,
): Guarded {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  let unread: Reader | null = null;
  const feed = async () => {
    let sinceTagEnd = 0;
    const chunks = [...beginning];
    for (;;) {
      const value = chunks.shift() ?? (await bytesOf(reader));
      if (value === null) break;
      const at = value.lastIndexOf(tagEnd);
      sinceTagEnd = at === -1 ? sinceTagEnd + value.byteLength : value.byteLength - at - 1;
      if (sinceTagEnd > longestTagBytes) {
        stopped();
        unread = before(value, reader);
        break;
      }
      await writer.write(value);
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

/** A reader that gives `chunk` first. */
function before(chunk: Uint8Array, reader: Reader): Reader {
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(chunk),
    async pull(controller) {
      const value = await bytesOf(reader);
      if (value === null) controller.close();
      else controller.enqueue(value);
    },
    cancel: async (reason) => await reader.cancel(reason),
  }).getReader();
}
