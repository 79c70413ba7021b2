/// <reference types="node" />
/**
 * What the middleware costs a page: the same pages through the same runtime passed through, edited as they stream with three experiments
 * of four edits, and edited by a rewriter that holds the whole page back. The rounds of all rows take turns; ratios compare rows of one
 * run. Then the first byte of a page that comes slowly, and the runtime's memory while 50 MB pass. `npm run bench:html`; run it alone.
 */
import { get } from "node:http";
import autocannon from "autocannon";
import { rows, startWorkers } from "./html-workers.ts";
import type { Row } from "./html-workers.ts";
import { median } from "./timing.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 2;
const PAGES = [10_000, 100_000, 1_000_000];
const SLOW = { bytes: 100_000, chunks: 20, pauseMs: 25 };
const LARGE_BYTES = 50_000_000;

function headersOf(row: Row): Record<string, string> {
  return {
    "user-agent": "Mozilla/5.0 (bench) Firefox/150.0",
    accept: "text/html",
    ...(row !== "edited, new visitors" && {
      cookie: "edgewise_visitor=0f6a1c3e-5b7d-4e8f-9a0b-1c2d3e4f5a6b",
    }),
  };
}

async function pagesPerSecond(row: Row, url: string): Promise<number> {
  const result = await autocannon({
    url,
    headers: headersOf(row),
    connections: 4,
    duration: ROUND_SECONDS,
  });
  if (result.errors + result.non2xx > 0) throw new Error(`${url}: ${result.errors} errors`);
  return result.requests.average;
}

/** Milliseconds to the first byte and to the last, and how many there were. */
async function fetched(
  row: Row,
  url: string,
): Promise<{ firstMs: number; lastMs: number; bytes: number }> {
  return await new Promise((done, failed) => {
    const started = performance.now();
    get(url, { headers: headersOf(row), agent: false }, (response) => {
      let firstMs = Number.NaN;
      let bytes = 0;
      response
        .on("data", (chunk: Buffer) => {
          if (bytes === 0) firstMs = performance.now() - started;
          bytes += chunk.byteLength;
        })
        .on("end", () => done({ firstMs, lastMs: performance.now() - started, bytes }))
        .on("error", failed);
    }).on("error", failed);
  });
}

async function overhead(): Promise<void> {
  const { url, stop } = await startWorkers(rows);
  for (const bytes of PAGES) {
    const rates = new Map<Row, number[]>(rows.map((row) => [row, []]));
    for (const row of rows) await pagesPerSecond(row, `${url(row)}/${bytes}/1/0`);
    for (let round = 0; round < ROUNDS; round++) {
      for (const row of rows) {
        rates.get(row)?.push(await pagesPerSecond(row, `${url(row)}/${bytes}/1/0`));
      }
    }
    const microseconds = (row: Row) => 1e6 / median(rates.get(row) ?? []);
    const plain = microseconds("passed through");
    console.log(`A page of ${bytes / 1_000} KB`);
    console.table(
      Object.fromEntries(
        rows.map((row) => [
          row,
          {
            "µs a page": Math.round(microseconds(row)),
            "more than passed through": Math.round(microseconds(row) - plain),
          },
        ]),
      ),
    );
  }
  const first = new Map<Row, number[]>(rows.map((row) => [row, []]));
  const { bytes, chunks, pauseMs } = SLOW;
  for (let round = 0; round < 9; round++) {
    for (const row of rows) {
      const { firstMs } = await fetched(row, `${url(row)}/${bytes}/${chunks}/${pauseMs}`);
      first.get(row)?.push(firstMs);
    }
  }
  console.log(`First byte of a page that comes in ${chunks} parts, ${pauseMs} ms apart`);
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row,
        { "first byte, ms": Number(median(first.get(row) ?? []).toFixed(1)) },
      ]),
    ),
  );
  await stop();
}

/** Each in a process of its own, so that none has the memory that another left. */
async function memory(): Promise<void> {
  const table: Record<string, object> = {};
  for (const row of rows) {
    const { url, memoryBytes, stop } = await startWorkers([row]);
    const chunks = LARGE_BYTES / 50_000;
    await fetched(row, `${url(row)}/1000000/20/0`);
    const before = memoryBytes();
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, memoryBytes());
    }, 5);
    const { bytes, lastMs } = await fetched(row, `${url(row)}/${LARGE_BYTES}/${chunks}/0`);
    clearInterval(watch);
    table[row] = {
      "MB delivered": Math.round(bytes / 1e6),
      "MB more memory at most": Math.round((most - before) / 1e6),
      ms: Math.round(lastMs),
    };
    await stop();
  }
  console.log("A page of 50 MB in 1,000 parts");
  console.table(table);
}

await overhead();
await memory();
