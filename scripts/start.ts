/** `npm start`: the whole of Edgewise on this machine, until Ctrl-C. State, queued events included, is kept in a folder. */

import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { adminKeyFault, defaultEnvironment } from "./installation.ts";
import { claimFolder } from "./local/control-socket.ts";
import { demoEnvironment, seedDemo } from "./local/demo.ts";
import { parseOptions, runScript, UsageError, wholeNumber } from "./local/options.ts";
import { startRunner, StateError } from "./local/runner.ts";
import type { Runner } from "./local/runner.ts";
import { endLeftover } from "./local/workerd-process.ts";

/** A process that was just killed may hold its port for as long as its last threads take to end. */
const killedEndsMs = 5_000;

await runScript(async () => {
  const options = readOptions();
  const claim = await claimFolder(options.dataFolder);
  const runner = await startClaimed(options).catch(async (error: unknown) => {
    await claim.release();
    throw error;
  });
  const cron = startClock(runner, options.cronSeconds);
  claim.serve({ ...runner, ...cron });
  await runner.tick(new Date());
  announce(runner, options.dataFolder);
  if (options.demo) await showDemo(runner);

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    cron.hold();
    void claim
      .release()
      .then(runner.stop)
      .then(() => process.exit(0));
  };
  // Miniflare's own listeners would end the process before state and socket are closed.
  process.removeAllListeners("SIGINT").removeAllListeners("SIGTERM");
  process.on("SIGINT", stop).on("SIGTERM", stop);
});

function readOptions() {
  const {
    port,
    data,
    "admin-key": adminKey,
    "cron-seconds": cron,
    "no-demo": noDemo,
  } = parseOptions({
    port: { type: "string", default: "8787" },
    data: { type: "string", default: ".edgewise" },
    "admin-key": { type: "string" },
    "cron-seconds": { type: "string", default: "60" },
    "no-demo": { type: "boolean", default: false },
  });
  const fault = adminKey === undefined ? null : adminKeyFault(adminKey);
  if (fault !== null) throw new UsageError(`--admin-key: ${fault}`);
  if (data === "") throw new UsageError("--data must name a folder");
  return {
    port: wholeNumber("port", port, { from: 1, to: 65_535 }),
    dataFolder: data,
    cronSeconds: wholeNumber("cron-seconds", cron, { from: 1, to: 86_400 }),
    demo: !noDemo,
    ...(adminKey !== undefined && { adminKey }),
  };
}

type Options = ReturnType<typeof readOptions>;

async function requireFreePort(port: number, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await isFree(port))) {
    if (Date.now() >= deadline) {
      throw new UsageError(
        `port ${port} is taken; stop what uses it, or choose another with --port`,
      );
    }
    await pause(50);
  }
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((answer) => {
    const server = createServer();
    server
      .once("error", () => answer(false))
      .listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => answer(true)));
  });
}

async function startClaimed(options: Options): Promise<Runner> {
  const wasLeft = await endLeftover(options.dataFolder);
  await requireFreePort(options.port, wasLeft ? killedEndsMs : 0);
  return await start(options);
}

async function start(options: Options): Promise<Runner> {
  try {
    return await startRunner({
      ...options,
      environments: options.demo ? [defaultEnvironment, demoEnvironment] : [defaultEnvironment],
      ...(options.demo && { examplesFor: demoEnvironment }),
      onLog: ({ level, message }) => {
        if (level === "error" || level === "warn") console.error(message);
      },
    });
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const [reason = ""] = error.message.split("\n");
    throw new UsageError(
      `Edgewise cannot start on the state folder ${options.dataFolder}: ${reason}. Move the folder away, or choose another with --data`,
    );
  }
}

/** Ticks the cron, never two at a time. */
function startClock(runner: Runner, seconds: number) {
  let holds = 0;
  let ticking = false;
  setInterval(() => {
    if (holds > 0 || ticking) return;
    ticking = true;
    runner
      .tick(new Date())
      .catch((error: unknown) => console.error(String(error)))
      .finally(() => {
        ticking = false;
      });
  }, seconds * 1_000);
  return {
    hold: () => {
      holds += 1;
    },
    release: () => {
      holds -= 1;
    },
  };
}

function announce({ url, adminKey, resent }: Runner, dataFolder: string): void {
  console.log(`Edgewise runs at ${url} (state in ${dataFolder}; Ctrl-C stops it)`);
  if (adminKey !== null) {
    console.log(`Admin key, shown once, only its hash is kept: ${adminKey}`);
  }
  if (resent > 0) console.log(`${resent} queued messages of the last run were sent again`);
}

async function showDemo({ url, adminKey }: Runner): Promise<void> {
  const { port } = new URL(url);
  console.log(`Two sites with experiments on their pages; each visitor sees one variant, so open them in two browsers:
  http://localhost:${port}/examples/shop
  http://localhost:${port}/examples/blog`);
  if (adminKey === null) return;
  const clientKey = await seedDemo(url, adminKey);
  console.log(`A demo experiment is running. Evaluate it:
  curl -s ${url}/api/v1/evaluate -H 'authorization: Bearer ${clientKey}' \\
    -d '{"context": {"targetingKey": "visitor-1", "country": "US"}, "flags": ["checkout_button"]}'`);
}
