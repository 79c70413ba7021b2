/// <reference types="node" />
/** Times what is too short for one clock reading. What is compared takes turns, so that a busy machine slows all alike. */

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** What every call adds to, so that nothing is optimised away. */
let served = 0;

function nanosecondsOnce(calls: number, call: (index: number) => unknown): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) if (call(i) !== undefined) served++;
  return ((performance.now() - start) * 1e6) / calls;
}

/** So many calls that a run takes about as long as asked. */
function callsIn(runMs: number, call: (index: number) => unknown): number {
  let calls = 1;
  while (nanosecondsOnce(calls, call) * calls < (runMs * 1e6) / 4) calls *= 2;
  return Math.max(1, Math.round((runMs * 1e6) / nanosecondsOnce(calls, call)));
}

/** Nanoseconds a call of each, the median of runs that take turns. `call` gets 0, 1, 2… */
export function nanoseconds(
  contenders: readonly ((index: number) => unknown)[],
  { runs = 21, runMs = 25 } = {},
): number[] {
  const entries = contenders.map((call) => ({ call, calls: callsIn(runMs, call), figures: [0] }));
  for (const entry of entries) entry.figures.length = 0;
  for (let run = 0; run < runs; run++) {
    for (const { call, calls, figures } of entries) figures.push(nanosecondsOnce(calls, call));
  }
  return entries.map(({ figures }) => median(figures));
}

/** Milliseconds that `work` takes, the median of several times. What it returns must not be 0. */
export function milliseconds(work: () => number, runs = 9): number {
  const figures = Array.from({ length: runs }, () => {
    const start = performance.now();
    const result = work();
    const elapsed = performance.now() - start;
    if (result === 0) throw new Error("nothing was done");
    return elapsed;
  });
  return median(figures);
}

/** Of the heap, after everything unused is collected. Needs `--expose-gc`. */
export function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run this with --expose-gc");
  for (let i = 0; i < 3; i++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

export function expectServed(): void {
  if (served === 0) throw new Error("nothing was served");
}
