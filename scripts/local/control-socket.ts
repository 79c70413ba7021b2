/**
 * How `npm run tick`, `replay` and `query` reach a running local Edgewise: HTTP over a socket in its state folder.
 * It doubles as the folder's lock: a folder whose socket answers is in use.
 */

import { mkdir, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { relative, resolve } from "node:path";
import * as z from "zod/mini";
import { UsageError } from "./options.ts";

export interface Controls {
  url: string;
  tick(at: Date): Promise<void>;
  drained(): Promise<void>;
  /** Stops the clock that ticks the cron, until `release`. */
  hold(): void;
  release(): void;
  archive: ReadableBucket;
}

/** What is read here of an R2 bucket. */
export interface ReadableBucket {
  list(options: { prefix: string; cursor?: string }): Promise<
    {
      objects: { key: string; size: number; uploaded: Date }[];
    } & ({ truncated: true; cursor: string } | { truncated: false })
  >;
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

const archivePage = z.object({
  objects: z.array(z.object({ key: z.string(), size: z.number(), uploadedMs: z.number() })),
  cursor: z.nullable(z.string()),
});

export type ArchivePage = z.output<typeof archivePage>;

const pingAnswer = z.object({ pid: z.number(), url: z.nullable(z.string()) });

/** Sockets have short names (about 100 bytes): from the working directory if that is shorter. */
function socketPath(dataFolder: string): string {
  const absolute = resolve(dataFolder, "control.sock");
  const fromHere = relative(process.cwd(), absolute);
  return fromHere.length < absolute.length ? fromHere : absolute;
}

/** The folder is this process's until `release`. */
export interface Claim {
  /** Before that, callers are told that it is starting. */
  serve(controls: Controls): void;
  release: () => Promise<void>;
}

/** Refuses when another Edgewise runs or starts on this folder: who listens on its socket has it. */
export async function claimFolder(dataFolder: string): Promise<Claim> {
  try {
    await mkdir(dataFolder, { recursive: true });
    const other = await runningOn(dataFolder);
    if (other !== null) {
      throw new UsageError(
        `an Edgewise (process ${other.pid}${other.url === null ? "" : `, ${other.url}`}) is running on ${dataFolder} already; stop it, or choose another folder with --data`,
      );
    }
    // Nobody answers: what is there was left behind.
    await rm(socketPath(dataFolder), { force: true });
    return await listen(dataFolder);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `the state folder ${dataFolder} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function listen(dataFolder: string): Promise<Claim> {
  let served: Controls | null = null;
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing, served).catch((error: unknown) => {
      outgoing.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed).listen(socketPath(dataFolder), listening);
  });
  return {
    serve(controls) {
      served = controls;
    },
    async release() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function handle(
  { method, url = "/" }: IncomingMessage,
  outgoing: ServerResponse,
  controls: Controls | null,
): Promise<void> {
  const { pathname, searchParams } = new URL(url, "http://local");
  const route = `${method ?? "GET"} ${pathname}`;
  if (route === "GET /") {
    outgoing.end(JSON.stringify({ pid: process.pid, url: controls?.url ?? null }));
    return;
  }
  if (controls === null) {
    outgoing.writeHead(503).end("Edgewise is still starting");
    return;
  }
  switch (route) {
    case "POST /tick":
      await controls.tick(new Date(searchParams.get("at") ?? Date.now()));
      outgoing.end();
      return;
    case "POST /drained":
      await controls.drained();
      outgoing.end();
      return;
    case "GET /archive":
      outgoing.end(JSON.stringify(await archivePageOf(controls.archive, searchParams)));
      return;
    case "GET /archive/object": {
      const object = await controls.archive.get(searchParams.get("key") ?? "");
      if (object === null) outgoing.writeHead(404).end();
      else outgoing.end(new Uint8Array(await object.arrayBuffer()));
      return;
    }
    case "POST /hold":
      // Held for as long as the caller keeps the connection, so that a killed replay does not stop the clock for good.
      controls.hold();
      outgoing.on("close", () => controls.release());
      outgoing.flushHeaders();
      return;
    default:
      outgoing.writeHead(404).end();
  }
}

async function archivePageOf(
  archive: Controls["archive"],
  asked: URLSearchParams,
): Promise<ArchivePage> {
  const cursor = asked.get("cursor");
  const listed = await archive.list({
    prefix: asked.get("prefix") ?? "",
    ...(cursor !== null && { cursor }),
  });
  return {
    objects: listed.objects.map(({ key, size, uploaded }) => ({
      key,
      size,
      uploadedMs: uploaded.getTime(),
    })),
    cursor: listed.truncated ? listed.cursor : null,
  };
}

/** Who runs on this folder, or null. */
export async function runningOn(dataFolder: string): Promise<z.output<typeof pingAnswer> | null> {
  try {
    return z.parse(pingAnswer, jsonOf(await call(dataFolder, "GET", "/")));
  } catch {
    return null;
  }
}

export async function callControls(
  dataFolder: string,
  path: "/drained" | `/tick?at=${string}`,
): Promise<void> {
  await requireRunning(dataFolder);
  await call(dataFolder, "POST", path);
}

/** The objects of the archive bucket whose keys begin so, a page at a time. */
export async function listArchive(
  dataFolder: string,
  prefix: string,
  cursor: string | null,
): Promise<ArchivePage> {
  await requireRunning(dataFolder);
  const asked = new URLSearchParams({ prefix, ...(cursor !== null && { cursor }) });
  const answer = await call(dataFolder, "GET", `/archive?${asked.toString()}`);
  return z.parse(archivePage, jsonOf(answer));
}

/** The bytes of an object of the archive bucket, or null when there is none. */
export async function readArchive(dataFolder: string, key: string): Promise<Buffer | null> {
  const asked = new URLSearchParams({ key });
  const { status, body } = await call(dataFolder, "GET", `/archive/object?${asked.toString()}`);
  return status === 404 ? null : body;
}

/** Stops the cron's clock until the returned function is called, or this process ends. */
export async function holdClock(dataFolder: string): Promise<() => void> {
  await requireRunning(dataFolder);
  return await new Promise((held, failed) => {
    const holding = request(
      { socketPath: socketPath(dataFolder), method: "POST", path: "/hold" },
      (response) => {
        response.resume();
        held(() => holding.destroy());
      },
    );
    holding.once("error", failed).end();
  });
}

async function requireRunning(dataFolder: string): Promise<void> {
  const running = await runningOn(dataFolder);
  if (running === null) {
    throw new UsageError(
      `no Edgewise is running on ${dataFolder}; start it with npm start, or name its folder with --data`,
    );
  }
  if (running.url === null) {
    throw new UsageError(`Edgewise is still starting on ${dataFolder}; try again in a moment`);
  }
}

interface Reply {
  status: 200 | 404;
  body: Buffer;
}

function jsonOf({ body }: Reply): unknown {
  return JSON.parse(body.toString());
}

async function call(dataFolder: string, method: string, path: string): Promise<Reply> {
  return await new Promise((done, failed) => {
    request({ socketPath: socketPath(dataFolder), method, path }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on("data", (chunk: Buffer) => chunks.push(chunk))
        .on("end", () => {
          const body = Buffer.concat(chunks);
          const status = response.statusCode;
          if (status === 200 || status === 404) done({ status, body });
          else failed(new Error(body.toString()));
        });
    })
      .once("error", failed)
      .end();
  });
}
