/** Command-line options of the scripts: declared once, checked, and refused in one clear line. */

import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";

/** The script ends with this message alone, without a stack. */
export class UsageError extends Error {}

type Declared = NonNullable<ParseArgsConfig["options"]>;

export function parseOptions<Options extends Declared>(options: Options) {
  return refused(() => parseArgs({ options, allowPositionals: false, strict: true })).values;
}

/** Options, and what stands beside them. */
export function parseArguments<Options extends Declared>(options: Options) {
  return refused(() => parseArgs({ options, allowPositionals: true, strict: true }));
}

function refused<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function wholeNumber(
  name: string,
  text: string,
  { from, to }: { from: number; to: number },
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  throw new UsageError(`--${name} must be a whole number from ${from} to ${to}, not ${text}`);
}

/** Runs a script's main function: a usage error is one line on stderr and exit code 2, anything else is a bug or a broken machine. */
export async function runScript(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
