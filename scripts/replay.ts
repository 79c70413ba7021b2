/**
 * `npm run replay`: sends a finished experiment's rows through the public HTTP API, so that somebody can see Edgewise on an experiment that they know.
 * With --days, the local Edgewise is ticked once a day of the file, so that the looks come out as they would have.
 */

import { SingleBar } from "cli-progress";
import * as z from "zod/mini";
import { callControls, holdClock, runningOn } from "./local/control-socket.ts";
import { parseOptions, runScript, UsageError, wholeNumber } from "./local/options.ts";
import { api } from "./replay/api.ts";
import type { Api } from "./replay/api.ts";
import { prepare } from "./replay/prepare.ts";
import { readRows } from "./replay/read-rows.ts";
import type { Columns, Nonsense } from "./replay/read-rows.ts";
import { schedule } from "./replay/schedule.ts";
import type { Schedule } from "./replay/schedule.ts";
import { rowsUnderWay, sender } from "./replay/send.ts";
import { summarise } from "./replay/summary.ts";
import { survey } from "./replay/survey.ts";

const shownNonsense = 20;

const earlierResults = z.object({
  lastEventAt: z.nullable(z.string()),
  sampleRatio: z.object({ observed: z.record(z.string(), z.number()) }),
});

await runScript(async () => {
  const options = readOptions();
  const { file, columns, experiment, days, windowHours } = options;
  const client = api(options);
  const surveyed = await survey(file, columns);
  report("makes no sense and is left out", surveyed.nonsense);
  if (surveyed.rows === 0) throw new UsageError(`${file} has no row that makes sense`);

  const prepared = await prepare(client, surveyed, options);
  const times = schedule({
    ...prepared,
    rows: surveyed.rows,
    days: Math.max(1, days),
    windowHours,
  });
  const local = (await runningOn(options.data))?.url === options.url;
  if (days > 0 && !local) {
    throw new UsageError(
      `--days ticks the cron of a local Edgewise, and none at ${options.url} runs on ${options.data}; leave --days out, or name the folder with --data`,
    );
  }
  if (local) await callControls(options.data, "/drained");
  if (local) await callControls(options.data, `/tick?at=${new Date().toISOString()}`);
  await requireOwnEvents(client, experiment, { times, rows: surveyed.rows });
  const releaseClock = local ? await holdClock(options.data) : () => {};
  const bar = new SingleBar({
    format: "{bar} {percentage}% | {value}/{total} rows | {duration_formatted}",
    noTTYOutput: true,
    notTTYSchedule: 5_000,
  });
  bar.start(surveyed.rows, 0);
  const sending = sender(client, { experiment, events: prepared.events });
  const endDay = async (day: number) => {
    await sending.flush();
    if (!local) return;
    await callControls(options.data, "/drained");
    await callControls(options.data, `/tick?at=${new Date(times.maturedMs(day)).toISOString()}`);
  };
  let index = 0;
  for await (const reading of readRows(file, columns)) {
    if ("nonsense" in reading) continue;
    if (index > 0 && times.dayOf(index) > times.dayOf(index - 1)) {
      await endDay(times.dayOf(index - 1));
    }
    await sending.add(reading.row, times.timeMs(index));
    index += 1;
    bar.update(index);
  }
  await endDay(Math.max(1, days) - 1);
  bar.stop();
  releaseClock();

  report("was refused", sending.rejected);
  console.log(
    `${surveyed.rows} rows sent as ${sending.accepted + sending.rejected.length} events: ${sending.accepted} accepted, ${sending.rejected.length} refused; ${surveyed.nonsense.length} rows left out`,
  );
  if (sending.rejected.length > 0) process.exitCode = 1;
  console.log(
    local
      ? await summarise(client, experiment)
      : `The results follow within minutes at ${options.url}/api/v1/experiments/${experiment}/results`,
  );
});

/**
 * Events at other instants would be moved or cut off by this file's, and the figures would be neither's. What is there must be this replay,
 * whole, or a part of it that was cut short.
 */
async function requireOwnEvents(
  client: Api,
  experiment: string,
  { times, rows }: { times: Schedule; rows: number },
): Promise<void> {
  const results = await client.get(`/experiments/${experiment}/results`, earlierResults);
  const lastEventAt = results?.lastEventAt ?? null;
  if (results === null || lastEventAt === null) return;
  const units = Object.values(results.sampleRatio.observed).reduce((sum, n) => sum + n, 0);
  const last = times.rowAt(Date.parse(lastEventAt));
  const isPart = last !== null && units < rows && Math.abs(last + 1 - units) <= rowsUnderWay;
  if (last !== rows - 1 && !isPart) {
    throw new UsageError(
      `${experiment} has events up to ${lastEventAt} that are not of this file, with these --days and --window-hours; replay as before, or into another experiment`,
    );
  }
}

function readOptions() {
  const values = parseOptions({
    file: { type: "string" },
    experiment: { type: "string" },
    unit: { type: "string" },
    variant: { type: "string" },
    metric: { type: "string", multiple: true, default: [] },
    create: { type: "boolean", default: false },
    control: { type: "string" },
    days: { type: "string", default: "0" },
    "window-hours": { type: "string", default: "1" },
    url: { type: "string", default: "http://127.0.0.1:8787" },
    key: { type: "string" },
    environment: { type: "string" },
    data: { type: "string", default: ".edgewise" },
  });
  const required = (name: "file" | "experiment" | "unit" | "variant"): string => {
    const value = values[name];
    if (value === undefined)
      throw new UsageError(`--${name} is missing; see the README for an example`);
    return value;
  };
  const key = values.key ?? process.env["EDGEWISE_ADMIN_KEY"];
  if (key === undefined) {
    throw new UsageError("give the admin key with --key or in EDGEWISE_ADMIN_KEY");
  }
  const columns: Columns = {
    unit: required("unit"),
    variant: required("variant"),
    metrics: metricColumns(values.metric),
  };
  return {
    columns,
    key,
    file: required("file"),
    experiment: required("experiment"),
    create: values.create,
    control: values.control ?? null,
    days: wholeNumber("days", values.days, {
      from: 0,
      to: 365,
    }),
    windowHours: wholeNumber("window-hours", values["window-hours"], {
      from: 1,
      to: 2160,
    }),
    url: values.url.replace(/\/$/, ""),
    data: values.data,
    ...(values.environment !== undefined && { environment: values.environment }),
  };
}

function metricColumns(given: readonly string[]): ReadonlyMap<string, string> {
  if (given.length === 0) throw new UsageError("name at least one metric: --metric NAME=COLUMN");
  return new Map(
    given.map((text) => {
      const [name = "", column = "", ...rest] = text.split("=");
      if (name === "" || column === "" || rest.length > 0) {
        throw new UsageError(`--metric takes NAME=COLUMN, not ${text}`);
      }
      return [name, column];
    }),
  );
}

function report(what: string, lines: readonly Nonsense[]): void {
  for (const { line, reason } of lines.slice(0, shownNonsense)) {
    console.error(`line ${line} ${what}: ${reason}`);
  }
  const more = lines.length - shownNonsense;
  if (more > 0) console.error(`and ${more} more such lines`);
}
