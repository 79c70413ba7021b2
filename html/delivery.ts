/** When the exposures of a page are sent: when it has been delivered, and meanwhile, while it is under way for long. */

/** The platform ends work 30 s after a visitor has left. */
const unsentMs = 10_000;

export interface Delivery {
  done: Promise<void>;
  stop: () => void;
}

/**
 * Calls `send` when the page has passed or broken off; meanwhile every now and then, because a page may take long, and of a visitor who
 * leaves one may not be told. Until `done` resolves, the runtime goes on after a visitor has left, for as long as it does for anybody.
 */
export function deliveryOf(send: () => void): Delivery {
  let resolve = () => {};
  const done = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  const waiting = setInterval(send, unsentMs);
  const stop = () => {
    clearInterval(waiting);
    send();
    resolve();
  };
  return { done, stop };
}
