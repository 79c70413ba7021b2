/** Where third-party conformance cases and data sets are read from; tests that need them skip when the folder is absent. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const root = process.env["EDGEWISE_SHARED"] ?? resolve(import.meta.dirname, "../../shared");

/** The absolute path of a file in the shared folder, or null (after saying so) when it is not there. */
export function sharedFile(path: string): string | null {
  const file = resolve(root, path);
  if (existsSync(file)) return file;
  console.warn(`skipped: ${path} is not in the shared folder (${root}); set EDGEWISE_SHARED`);
  return null;
}
