/** `npm run tick -- --at 2026-01-14T00:00:00Z`: runs the cron of the local Edgewise as if it were then. */

import { parseInstant } from "../contracts/event-fields.ts";
import { callControls } from "./local/control-socket.ts";
import { parseOptions, runScript, UsageError } from "./local/options.ts";

await runScript(async () => {
  const { at, data } = parseOptions({
    at: { type: "string", default: new Date().toISOString() },
    data: { type: "string", default: ".edgewise" },
  });
  const instant = parseInstant(at);
  if (instant === null) {
    throw new UsageError(
      `--at must be an ISO-8601 instant such as 2026-01-14T00:00:00Z, not ${at}`,
    );
  }
  await callControls(data, `/tick?at=${new Date(instant).toISOString()}`);
  console.log(`ticked at ${new Date(instant).toISOString()}`);
});
