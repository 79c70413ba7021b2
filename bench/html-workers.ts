/// <reference types="node" />
/** What `bench/html.ts` asks: one origin, passed through, edited as it streams, and edited by a rewriter that holds the page back. */
import { readFileSync, readdirSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import type { JsonObject } from "../core/index.ts";
import { bundle } from "../scripts/local/bundle.ts";
import { pageExperiment, snapshotOf } from "../test/html-site.ts";

export type Row =
  | "passed through"
  | "edited as it streams"
  | "edited, new visitors"
  | "held back, then edited";

const edits: JsonObject[] = [
  { action: "text", selector: "h1", text: "New" },
  { action: "class", selector: "a.buy", add: ["green"] },
  { action: "insert", selector: "p.price", position: "append", html: "<small>free</small>" },
  { action: "title", text: "New" },
];
const experiments = ["one", "two", "three"].map((key) =>
  pageExperiment(key, edits, [{ glob: "/*" }]),
);

/** Edgewise's API as far as the middleware asks it. */
const apiWorker = `
  export default {
    async fetch(request, env) {
      if (request.url.endsWith("/config")) {
        return new Response(env.SNAPSHOT, { headers: { etag: '"site.1"' } });
      }
      await request.json();
      return Response.json({ accepted: 1, rejected: [] }, { status: 202 });
    },
  };
`;

/** GET /{bytes}/{chunks}/{pause in ms}: that large a page in so many chunks. */
const originWorker = `
  const encoder = new TextEncoder();
  const item = (n) => '<li class="item"><a class="link" href="/item/' + n + '">Item ' + n + '</a><p class="text">Some words about it &amp; more.</p></li>';
  const head = '<!doctype html><html><head><title>Shop</title></head><body><h1>Old</h1><p class="price">1</p><a class="buy" href="/">Buy</a><ul>';
  const texts = new Map();
  const textOf = (bytes) => {
    if (!texts.has(bytes)) {
      let text = "";
      for (let n = 0; text.length < bytes; n++) text += item(n);
      texts.set(bytes, encoder.encode(text.slice(0, bytes)));
    }
    return texts.get(bytes);
  };
  export default {
    async fetch(request) {
      const [bytes, chunks, pauseMs] = new URL(request.url).pathname.slice(1).split("/").map(Number);
      const headers = { "content-type": "text/html; charset=utf-8" };
      const part = textOf(Math.floor(bytes / chunks));
      if (chunks === 1) return new Response(head + new TextDecoder().decode(part) + "</ul></body></html>", { headers });
      const { readable, writable } = new IdentityTransformStream();
      const write = async () => {
        const writer = writable.getWriter();
        await writer.write(encoder.encode(head));
        for (let n = 0; n < chunks; n++) {
          if (pauseMs > 0) await scheduler.wait(pauseMs);
          await writer.write(part);
        }
        await writer.close();
      };
      write();
      return new Response(readable, { headers });
    },
  };
`;

const edited = `
    import { withEdgewise } from "./html/index.ts";
    export default {
      fetch: withEdgewise(
        (request, env) => env.ORIGIN.fetch(request),
        (env) => ({ config: { service: env.EDGEWISE, key: "ew_server_bench" } }),
      ),
    };
`;

const workers: Record<Row, string> = {
  "passed through": `
    export default { fetch: (request, env) => env.ORIGIN.fetch(request) };
  `,
  "edited as it streams": edited,
  /** Each with three exposures to send. */
  "edited, new visitors": edited,
  "held back, then edited": `
    export default {
      async fetch(request, env) {
        const response = await env.ORIGIN.fetch(request);
        const text = await response.text();
        const edited = await new HTMLRewriter()
          .on("h1", { element: (element) => { element.setInnerContent("New"); } })
          .on("a.buy", { element: (element) => { element.setAttribute("class", "buy green"); } })
          .on("p.price", { element: (element) => { element.append("<small>free</small>", { html: true }); } })
          .on("title", { element: (element) => { element.setInnerContent("New"); } })
          .transform(new Response(text))
          .text();
        return new Response(edited, { headers: { "content-type": "text/html; charset=utf-8" } });
      },
    };
  `,
};

export const rows: readonly Row[] = [
  "passed through",
  "edited as it streams",
  "edited, new visitors",
  "held back, then edited",
];

export interface Started {
  url: (row: Row) => string;
  /** Resident memory of the runtime's process, in bytes. */
  memoryBytes: () => number;
  stop: () => Promise<void>;
}

export async function startWorkers(wanted: readonly Row[]): Promise<Started> {
  const common = { modules: true, compatibilityDate: "2026-11-01" };
  const snapshot = JSON.stringify(snapshotOf(experiments));
  const before = new Set(runtimes());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      workers: [
        ...(await Promise.all(
          wanted.map(async (row) => ({
            ...common,
            name: nameOf(row),
            script: await bundle(workers[row]),
            serviceBindings: { ORIGIN: "origin", EDGEWISE: "api" },
            unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
          })),
        )),
        { ...common, name: "origin", script: originWorker },
        { ...common, name: "api", script: apiWorker, bindings: { SNAPSHOT: snapshot } },
      ],
    }),
  );
  await miniflare.ready;
  const pid = runtimes().find((each) => !before.has(each));
  if (pid === undefined) throw new Error("the runtime's process is not found");
  const urls = new Map<Row, string>();
  for (const row of wanted) {
    urls.set(row, (await miniflare.unsafeGetDirectURL(nameOf(row))).origin);
  }
  return {
    url: (row) => urls.get(row) ?? "",
    memoryBytes: () => statusOf(pid, "VmRSS") * 1_024,
    stop: async () => await miniflare.dispose(),
  };
}

function nameOf(row: Row): string {
  return row.replaceAll(/[^a-z]+/g, "-");
}

/** The workerd processes that this process has started. */
function runtimes(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && statusOf(pid, "PPid") === process.pid)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd"));
}

function statusOf(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`^${field}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}
