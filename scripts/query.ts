/** `npm run query -- "select …"`: SQL on the event archive of the local Edgewise, compacted or not. docs/archive.md has the views. */

import { parseArguments, runScript, UsageError } from "./local/options.ts";
import { formatTable } from "./query/format-table.ts";
import { mirrorArchive } from "./query/mirror.ts";
import { runQuery } from "./query/run-query.ts";

await runScript(async () => {
  const { values, positionals } = parseArguments({
    data: { type: "string", default: ".edgewise" },
  });
  const [sql, ...more] = positionals;
  if (sql === undefined || more.length > 0) {
    throw new UsageError(
      'give one query, in quotes: npm run query -- "select variant, count(*) from exposures group by variant"',
    );
  }
  console.log(formatTable(await runQuery(await mirrorArchive(values.data), sql)));
});
