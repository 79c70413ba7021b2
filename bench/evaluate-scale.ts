/// <reference types="node" />
/** What a snapshot of 10,000 experiments costs: bytes, time until it serves, memory held, and one flag of it beside one of ten. */
import { gzipSync } from "node:zlib";
import { readSnapshot } from "../contracts/read-snapshot.ts";
import { compile, evaluate, evaluateAll } from "../core/index.ts";
import type { Snapshot } from "../core/index.ts";
import { contexts, experimentFlags, snapshotOf } from "./evaluate-flags.ts";
import { expectServed, heapBytes, milliseconds, nanoseconds } from "./timing.ts";

const COUNT = 10_000;
const text = JSON.stringify(snapshotOf(experimentFlags(COUNT)));

const read = (): Snapshot => readSnapshot(text);

const kib = (bytes: number) => `${(bytes / 1024).toFixed(0)} KiB`;
const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const user = { targetingKey: "user", country: "US", version: "16.4.1" };
const published = read();

const took = (work: () => number) => `${milliseconds(work).toFixed(1)} ms`;

const table: Record<string, string> = {
  "snapshot, raw": kib(Buffer.byteLength(text)),
  "snapshot, gzip": kib(gzipSync(text).length),
  "JSON.parse": took(() => Number(JSON.parse(text) !== null)),
  "JSON.parse and check against the contract": took(() => read().version),
  compile: took(() => compile(published).version),
  "compile, first evaluation of one flag": took(
    () => evaluate(compile(published), "experiment_5000", user).reason.length,
  ),
  "compile, first evaluation of every flag": took(
    () => evaluateAll(compile(published), user).length,
  ),
};

const before = heapBytes();
const snapshot = read();
const parsed = heapBytes();
const large = compile(snapshot);
const compiled = heapBytes();
const served = evaluateAll(large, user).length;
const used = heapBytes();
table["heap: snapshot"] = mib(parsed - before);
table["heap: compiled beside it"] = mib(compiled - parsed);
table[`heap: beside it once all ${served} were served`] = mib(used - parsed);

const ten = compile(snapshotOf(experimentFlags(10)));
const keysOf = (count: number) => experimentFlags(count).map(({ key }) => key);
const [tenKeys, allKeys] = [keysOf(10), keysOf(COUNT)];

/** One flag each time, or all in turn. */
function ask(from: typeof large, keys: readonly string[]): (index: number) => unknown {
  return (index) => {
    const context = contexts[index % contexts.length];
    const key = keys[(index * 7919) % keys.length];
    if (context === undefined || key === undefined) throw new Error("nothing to ask");
    return evaluate(from, key, context).value;
  };
}

const [oneOfTen = 0, oneOfAll = 0, eachOfTen = 0, eachOfAll = 0] = nanoseconds([
  ask(ten, ["experiment_5"]),
  ask(large, ["experiment_5"]),
  ask(ten, tenKeys),
  ask(large, allKeys),
]);
const beside = (ns: number, than: number) => `${ns.toFixed(0)} ns (${(ns / than).toFixed(2)} ×)`;
table["one flag of 10"] = `${oneOfTen.toFixed(0)} ns`;
table["the same flag of 10,000"] = beside(oneOfAll, oneOfTen);
table["flags of 10 in turn"] = `${eachOfTen.toFixed(0)} ns`;
table["flags of 10,000 in turn"] = beside(eachOfAll, eachOfTen);

console.table(Object.fromEntries(Object.entries(table).map(([row, figure]) => [row, { figure }])));
expectServed();
