/** Fails when a worker outgrows its budget: what starts at every edge must be small. Sizes are minified and gzipped, as wrangler reports them. */

import { gzipSync } from "node:zlib";
import { bundle } from "./local/bundle.ts";

const budgetsKiB = {
  "./workers/eval/index.ts": 60,
  "./workers/ingest/index.ts": 60,
  "./examples/index.ts": 60,
  "./workers/admin/index.ts": 120,
  "./workers/analysis-cron/index.ts": 150,
};

for (const [entry, budget] of Object.entries(budgetsKiB)) {
  const script = await bundle(`export { default } from "${entry}";`, { minify: true });
  const size = gzipSync(script).length / 1_024;
  console.log(`${entry}: ${size.toFixed(1)} of ${budget} KiB`);
  if (size > budget) process.exitCode = 1;
}
