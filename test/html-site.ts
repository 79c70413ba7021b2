/** A site behind the middleware, and the same site without it: workers in front of an origin that the test makes up, over real HTTP. */

import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, Server } from "node:http";
import { Miniflare, Response as WorkerResponse, convertV4MiniflareOptions } from "miniflare";
import type { Request as WorkerRequest } from "miniflare";
import * as z from "zod/mini";
import type { Experiment, Flag, JsonObject, Snapshot } from "../core/index.ts";
import { bundle } from "../scripts/local/bundle.ts";

const key = "ew_server_site";

const worker = `
  import { withEdgewise } from "./html/index.ts";
  const origin = (request, env) => {
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(new URL(pathname + search, env.ORIGIN), request), { redirect: "manual" });
  };
  const edited = withEdgewise(origin, (env) => ({
    config: env.API === null ? { service: env.EDGEWISE, key: env.KEY } : { url: env.API, key: env.KEY },
  }));
  export default {
    fetch: (request, env, context) =>
      env.EDITED ? edited(request, env, context) : origin(request, env),
  };
`;

const sentEvents = z.object({
  events: z.array(z.object({ experiment: z.string(), variant: z.string(), unit: z.string() })),
});

export type SentExposure = z.output<typeof sentEvents>["events"][number];

export interface Site {
  /** With experiments. */
  edited: string;
  /** With experiments, of which it learns over the network. */
  remote: string;
  /** The origin through a worker that changes nothing. */
  plain: string;
  exposures: SentExposure[];
  /** Resolves when that many exposures have been sent. */
  exposed: (count: number) => Promise<void>;
  stop: () => Promise<void>;
}

export async function startSite(snapshot: Snapshot, origin: RequestListener): Promise<Site> {
  const server = createServer(origin);
  const port = await listening(server);
  const exposures: SentExposure[] = [];
  let tell = () => {};
  /** Edgewise's API, as far as the middleware asks it. */
  const api = (url: string, authorization: string | null, body: string) => {
    if (authorization !== `Bearer ${key}`) return { status: 401, headers: {}, text: "{}" };
    if (url.endsWith("/api/v1/config")) {
      const headers = { etag: `"${snapshot.environment}.${snapshot.version}"` };
      return { status: 200, headers, text: JSON.stringify(snapshot) };
    }
    exposures.push(...z.parse(sentEvents, JSON.parse(body)).events);
    tell();
    return { status: 202, headers: {}, text: JSON.stringify({ accepted: 1, rejected: [] }) };
  };
  const service = async (request: WorkerRequest) => {
    const { headers, url } = request;
    const { text, ...init } = api(url, headers.get("authorization"), await request.text());
    return new WorkerResponse(text, init);
  };
  const apiServer = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on("data", (chunk: Buffer) => chunks.push(chunk))
      .on("end", () => {
        const { authorization = null } = request.headers;
        const answer = api(request.url ?? "", authorization, Buffer.concat(chunks).toString());
        response.writeHead(answer.status, answer.headers).end(answer.text);
      });
  });
  const apiPort = await listening(apiServer);
  const script = await bundle(worker);
  const workerOf = (name: string, more: { EDITED: boolean; API: string | null }) => ({
    name,
    modules: true,
    script,
    compatibilityDate: "2026-11-01",
    bindings: { ORIGIN: `http://127.0.0.1:${port}`, KEY: key, ...more },
    serviceBindings: { EDGEWISE: service },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      workers: [
        workerOf("edited", { EDITED: true, API: null }),
        workerOf("remote", { EDITED: true, API: `http://127.0.0.1:${apiPort}` }),
        workerOf("plain", { EDITED: false, API: null }),
      ],
    }),
  );
  await miniflare.ready;
  return {
    edited: (await miniflare.unsafeGetDirectURL("edited")).origin,
    remote: (await miniflare.unsafeGetDirectURL("remote")).origin,
    plain: (await miniflare.unsafeGetDirectURL("plain")).origin,
    exposures,
    exposed: async (count) => {
      while (exposures.length < count) {
        await new Promise<void>((done) => {
          tell = done;
        });
      }
    },
    async stop() {
      await miniflare.dispose();
      for (const each of [server, apiServer]) {
        each.closeAllConnections();
        await new Promise((closed) => each.close(closed));
      }
    },
  };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** An experiment of two equal variants whose treatment makes these edits where the address matches. */
export function pageExperiment(
  experimentKey: string,
  edits: JsonObject[],
  urls: JsonObject[],
): { flag: Flag; experiment: Experiment } {
  return {
    flag: {
      key: experimentKey,
      type: "object",
      variants: [
        { key: "control", value: {} },
        { key: "treatment", value: { pageEdits: [{ urls, edits }] } },
      ],
      defaultVariant: "control",
      enabled: true,
      salt: `${experimentKey} flag`,
      rules: [{ experiment: experimentKey }],
    },
    experiment: {
      key: experimentKey,
      hashVersion: 1,
      phase: 1,
      salt: `${experimentKey} salt`,
      unit: "targetingKey",
      control: "control",
      variants: ["control", "treatment"].map((variant) => ({
        variant,
        weightBasisPoints: 5_000,
      })),
      layer: null,
      layerSalt: `${experimentKey} layer`,
      slots: [[0, 10_000]],
    },
  };
}

export function snapshotOf(made: ReturnType<typeof pageExperiment>[]): Snapshot {
  return {
    formatVersion: 1,
    environment: "site",
    version: 1,
    flags: made.map(({ flag }) => flag),
    experiments: made.map(({ experiment }) => experiment),
    holdouts: [],
    segments: [],
  };
}

export interface Received {
  status: number;
  statusText: string;
  /** As sent, in order. */
  headers: [name: string, value: string][];
  /** As sent: not decoded. */
  body: Buffer;
}

interface Asking {
  method?: string;
  headers?: OutgoingHttpHeaders;
}

/** The response as soon as its headers are there. */
export async function ask(url: string, { method = "GET", headers = {} }: Asking = {}) {
  return await new Promise<IncomingMessage>((answered, failed) => {
    httpRequest(url, { method, headers, agent: false }, answered).once("error", failed).end();
  });
}

export async function receive(url: string, asking: Asking = {}): Promise<Received> {
  const response = await ask(url, asking);
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const raw = response.rawHeaders;
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? "",
    headers: raw.flatMap((name, index): [string, string][] =>
      index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] ?? ""]] : [],
    ),
    body: Buffer.concat(chunks),
  };
}
