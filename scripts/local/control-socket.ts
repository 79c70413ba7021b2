/**
 * How `npm run tick` and `npm run replay` reach a running local Edgewise: HTTP over a socket in its state folder.
 * It doubles as the folder's lock: a folder whose socket answers is in use.
 */

import { rm } from "node:fs/promises";
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
}

const pingAnswer = z.object({ pid: z.number(), url: z.string() });

/** Sockets have short names (about 100 bytes): from the working directory if that is shorter. */
function socketPath(dataFolder: string): string {
  const absolute = resolve(dataFolder, "control.sock");
  const fromHere = relative(process.cwd(), absolute);
  return fromHere.length < absolute.length ? fromHere : absolute;
}

/** Refuses when another Edgewise runs on this folder. Returns the function that stops serving. */
export async function serveControls(
  dataFolder: string,
  controls: Controls,
): Promise<() => Promise<void>> {
  const path = socketPath(dataFolder);
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing, controls).catch((error: unknown) => {
      outgoing.writeHead(500).end(String(error));
    });
  });
  await rm(path, { force: true });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed).listen(path, listening);
  });
  return async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
}

async function handle(
  { method, url = "/" }: IncomingMessage,
  outgoing: ServerResponse,
  controls: Controls,
): Promise<void> {
  const { pathname, searchParams } = new URL(url, "http://local");
  switch (`${method ?? "GET"} ${pathname}`) {
    case "GET /":
      outgoing.end(JSON.stringify({ pid: process.pid, url: controls.url }));
      return;
    case "POST /tick":
      await controls.tick(new Date(searchParams.get("at") ?? Date.now()));
      outgoing.end();
      return;
    case "POST /drained":
      await controls.drained();
      outgoing.end();
      return;
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

/** Who runs on this folder, or null. */
export async function runningOn(dataFolder: string): Promise<z.output<typeof pingAnswer> | null> {
  try {
    return z.parse(pingAnswer, JSON.parse(await call(dataFolder, "GET", "/")));
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
  if ((await runningOn(dataFolder)) === null) {
    throw new UsageError(
      `no Edgewise is running on ${dataFolder}; start it with npm start, or name its folder with --data`,
    );
  }
}

async function call(dataFolder: string, method: string, path: string): Promise<string> {
  return await new Promise((done, failed) => {
    request({ socketPath: socketPath(dataFolder), method, path }, (response) => {
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (chunk: string) => {
          text += chunk;
        })
        .on("end", () => {
          if (response.statusCode === 200) done(text);
          else failed(new Error(text));
        });
    })
      .once("error", failed)
      .end();
  });
}
