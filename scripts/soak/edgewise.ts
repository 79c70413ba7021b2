/** An Edgewise as `npm start` runs it, in a process group of its own, so that all of it can be killed at once, as a machine that fails would. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface Edgewise {
  url: string;
  /** Resolves when it can be asked. */
  start(): Promise<void>;
  /** SIGKILL to every process of it. */
  kill(): Promise<void>;
  /** As Ctrl-C. */
  stop(): Promise<void>;
}

export async function edgewise(dataFolder: string, adminKey: string): Promise<Edgewise> {
  const port = await freePort();
  let running: { child: ChildProcess; ended: Promise<unknown> } | null = null;

  async function start(): Promise<void> {
    const options = ["--data", dataFolder, "--port", String(port), "--admin-key", adminKey];
    const child = spawn(process.execPath, ["scripts/start.ts", ...options, "--no-demo"], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const ended = new Promise((done) => child.once("exit", done));
    running = { child, ended };
    let output = "";
    const up = new Promise<void>((done) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.includes("Edgewise runs at")) done();
      });
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await Promise.race([
      up,
      ended.then((code) => {
        throw new Error(`it ended with ${String(code)}: ${output}`);
      }),
    ]);
  }

  return {
    url: `http://127.0.0.1:${port}`,
    start,
    async kill() {
      if (running?.child.pid === undefined) return;
      killGroup(running.child.pid);
      await running.ended;
      while (!(await isFree(port))) await pause(20);
    },
    async stop() {
      running?.child.kill("SIGINT");
      await running?.ended;
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself; the next start tells why.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((answer) => {
    const server = createServer();
    server
      .once("error", () => answer(false))
      .listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => answer(true)));
  });
}
