/**
 * workerd outlives a runner that is killed, and keeps its port and its state files. Its process id is noted in the state folder,
 * so that the next start can end what the last one left behind.
 */

import { execFileSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const noteOf = (dataFolder: string) => resolve(dataFolder, "workerd.pid");

/** Notes every workerd that this process spawns, until the returned function is called: the last one has ended well. */
export function noteWorkerd(dataFolder: string): () => void {
  const note = (message: unknown) => {
    const child = childOf(message);
    child?.once("spawn", () => {
      if (child.spawnfile.includes("workerd")) {
        writeFileSync(noteOf(dataFolder), String(child.pid));
      }
    });
  };
  subscribe("child_process", note);
  return () => {
    unsubscribe("child_process", note);
    rmSync(noteOf(dataFolder), { force: true });
  };
}

function childOf(message: unknown): ChildProcess | null {
  if (typeof message !== "object" || message === null || !("process" in message)) return null;
  const { process: child } = message;
  return isChild(child) ? child : null;
}

function isChild(value: unknown): value is ChildProcess {
  return typeof value === "object" && value !== null && "spawnfile" in value && "once" in value;
}

/** Ends the noted workerd if it still runs, and tells whether there was one. Call only when no runner answers on the folder. */
export async function endLeftover(dataFolder: string): Promise<boolean> {
  const note = noteOf(dataFolder);
  if (!existsSync(note)) return false;
  const pid = Number(readFileSync(note, "utf8"));
  const isLeft = isWorkerd(pid);
  if (isLeft) {
    process.kill(pid, "SIGKILL");
    while (isWorkerd(pid)) await pause(20);
  }
  rmSync(note, { force: true });
  return isLeft;
}

/** By its command, because process ids are used again. */
function isWorkerd(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  try {
    const command = execFileSync("ps", ["-p", String(pid), "-o", "stat=,args="], {
      encoding: "utf8",
    });
    return command.includes("workerd") && !command.startsWith("Z");
  } catch {
    return false;
  }
}
