import { defineConfig } from "drizzle-kit";

const name = process.env["EDGEWISE_DATABASE"];
if (name !== "control" && name !== "metrics") {
  throw new Error("set EDGEWISE_DATABASE to control or metrics (npm run migrations does)");
}

export default defineConfig({
  dialect: "sqlite",
  schema: `./schema/${name}/tables.ts`,
  out: `${process.env["EDGEWISE_MIGRATIONS"] ?? "./migrations"}/${name}`,
});
