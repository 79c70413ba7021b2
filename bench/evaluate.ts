/// <reference types="node" />
/**
 * How long one evaluation takes beside other evaluators, and what a large configuration costs: `npm run bench:evaluate`.
 * Each part runs in a process of its own, bundled and minified as for a worker, with code generation from strings forbidden, as
 * Workers forbid it.
 */
import { spawnSync } from "node:child_process";
import { bundle } from "../scripts/local/bundle.ts";

const parts = ["./bench/evaluate-peers.ts", "./bench/evaluate-scale.ts"];
const flags = ["--disallow-code-generation-from-strings", "--expose-gc", "--input-type=module"];

for (const part of parts) {
  const input = await bundle(`import ${JSON.stringify(part)};`, { minify: true });
  const { status } = spawnSync(process.execPath, [...flags, "-"], {
    input,
    stdio: ["pipe", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error(`${part} failed`);
}
