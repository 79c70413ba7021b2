import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRows } from "./read-rows.ts";
import type { Reading } from "./read-rows.ts";
import { survey } from "./survey.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewise-rows-"));
});
afterAll(() => rm(folder, { recursive: true }));

const columns = { unit: "id", variant: "group", metrics: new Map([["m", "x"]]) };

async function fileOf(text: string): Promise<string> {
  const file = join(folder, "rows.csv");
  await writeFile(file, text);
  return file;
}

async function read(text: string): Promise<Reading[]> {
  const readings: Reading[] = [];
  for await (const reading of readRows(await fileOf(text), columns)) readings.push(reading);
  return readings;
}

test("booleans, 0 and 1, and numbers are understood, however they are written", async () => {
  const values = ["TRUE", "false", "1", "0", "yes", "N", "2.5", "-3e2", ".5"];
  const rows = values.map((value, i) => `u${i},a,${value}`).join("\n");
  const readings = await read(`id,group,x\n${rows}`);
  expect(readings.map((one) => ("row" in one ? one.row.values : one))).toEqual(
    [1, 0, 1, 0, 1, 0, 2.5, -300, 0.5].map((value) => [value]),
  );
});

test("rows that make no sense are told with their line numbers and why, the others are read", async () => {
  const readings = await read(
    [
      "id,group,x",
      "u1,a,1",
      ",a,1",
      "u2,,1",
      "u3,a,maybe",
      "u4,a",
      "u1,b,0",
      "u5,b,1e16",
      "u6,b,1",
    ].join("\r\n"),
  );
  const told = readings.flatMap((one) => ("nonsense" in one ? [one.nonsense] : []));
  expect(told.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8]);
  expect(told.map(({ reason }) => reason).join("\n")).toMatch(
    /unit.*empty\n.*variant.*empty\n.*"maybe".*\n2 fields.*3\n.*u1 stands on line 2 already\n.*beyond/s,
  );
  expect(readings.flatMap((one) => ("row" in one ? [one.row.unit] : []))).toEqual(["u1", "u6"]);
});

test("quotes, commas in them, a byte-order mark and unicode are read as they are", async () => {
  const [reading] = await read('\uFEFFid,group,x\n"Zoë, 3","a ""b""",1\n');
  expect(reading).toMatchObject({ row: { unit: "Zoë, 3", variant: 'a "b"' } });
});

test.each([
  ["a missing column", "id,x\nu,1", /no column group; the file has id, x/],
  ["an empty file", "", /empty/],
  ["an open quote", 'id,group,x\n"u,a,1', /--file: /],
])("%s is refused in one line", async (_name, text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});

test("a missing file is refused by name", async () => {
  const reading = readRows(join(folder, "none.csv"), columns).next();
  await expect(reading).rejects.toThrow(/--file: .*none\.csv/);
});

test("a column of nothing but 0 and 1 converts, any other has a mean", async () => {
  const both = {
    ...columns,
    metrics: new Map([
      ["m", "x"],
      ["n", "y"],
    ]),
  };
  const file = await fileOf("id,group,x,y\nu1,a,TRUE,1\nu2,b,0,7\n");
  expect(await survey(file, both)).toEqual({
    rows: 2,
    variants: new Map([
      ["a", 1],
      ["b", 1],
    ]),
    nonsense: [],
    types: new Map([
      ["m", "proportion"],
      ["n", "mean"],
    ]),
  });
});
