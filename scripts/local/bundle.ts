/** Bundles the workers as wrangler would, for Miniflare: one ES module each, with the local journal around it. */

import { resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "../..");

/** A worker from its entry file, wrapped by `journalled`. */
export async function bundleJournalled(entry: string): Promise<string> {
  return await bundle(`
    import worker from ${JSON.stringify(entry)};
    import { journalled } from "./scripts/local/workerd/journalled.ts";
    export default journalled(worker);
  `);
}

export async function bundle(
  contents: string,
  options: { minify?: boolean } = {},
): Promise<string> {
  const result = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    ...options,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "silent",
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error("esbuild produced nothing");
  return output.text;
}
