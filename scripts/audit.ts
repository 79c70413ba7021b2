/**
 * `npm run audit -- --experiment KEY`: recomputes every look of an experiment's current phase from the event archive of the local Edgewise, by SQL that shares
 * nothing with how events are counted, and compares it with the ledger. Ends with 0 when they agree, with 1 and the differences when they do not.
 */

import { parseOptions, runScript, UsageError } from "./local/options.ts";
import { archivedReadings } from "./audit/archived-readings.ts";
import { auditLooks } from "./audit/audit-looks.ts";
import { ledgerAnswer } from "./audit/ledger-answer.ts";
import { mirrorArchive } from "./query/mirror.ts";
import { runQuery } from "./query/run-query.ts";
import { api } from "./replay/api.ts";

await runScript(async () => {
  const { experiment, key, url, environment, data } = readOptions();
  const client = api({ url, key, ...(environment !== undefined && { environment }) });
  const answer = await client.get(`/experiments/${experiment}/looks`, ledgerAnswer);
  if (answer === null) throw new UsageError(`there is no experiment ${experiment} at ${url}`);
  if (answer.looks.length === 0) {
    console.log(`${experiment} has no look yet`);
    return;
  }
  const mirror = await mirrorArchive(data);
  const read = archivedReadings(answer, (sql) => runQuery(mirror, sql));
  const { looks, differences } = await auditLooks(answer, read);
  for (const { look, metric, variant, field, ledger, archive } of differences) {
    console.log(
      `look ${look}, ${metric} of ${variant}, ${field}: the ledger has ${ledger}, the archive gives ${archive}`,
    );
  }
  console.log(
    differences.length === 0
      ? `${looks} rows of the ledger of ${experiment}: all as the archive gives them`
      : `${looks} rows of the ledger of ${experiment}: ${differences.length} differences`,
  );
  if (differences.length > 0) process.exitCode = 1;
});

function readOptions() {
  const { experiment, key, ...options } = parseOptions({
    experiment: { type: "string" },
    url: { type: "string", default: "http://127.0.0.1:8787" },
    key: { type: "string" },
    environment: { type: "string" },
    data: { type: "string", default: ".edgewise" },
  });
  if (experiment === undefined) throw new UsageError("name the experiment: --experiment KEY");
  const secret = key ?? process.env["EDGEWISE_ADMIN_KEY"];
  if (secret === undefined) {
    throw new UsageError("give an admin key with --key or in EDGEWISE_ADMIN_KEY");
  }
  return { ...options, experiment, key: secret, url: options.url.replace(/\/$/, "") };
}
