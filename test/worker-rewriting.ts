/** One page through the rewriter alone, for tests in workerd. */

import type { Edit } from "../contracts/page-edits.ts";
import { readPageEdits } from "../contracts/page-edits.ts";
import type { Exposure } from "../core/index.ts";
import { contentSecurityPolicy } from "../html/csp.ts";
import type { PlannedEdit } from "../html/decide.ts";
import type { Reason } from "../html/notes.ts";
import { pageInput } from "../html/page-input.ts";
import { rewriterOf } from "../html/rewrite.ts";
import { streamOf } from "./worker-pages.ts";

interface Given {
  /** Those of the variant that is served. */
  served?: object[];
  /** Those of another variant. */
  other?: object[];
  csp?: string;
  bootstrap?: string | null;
  /** What is met throws. */
  fails?: boolean;
}

const page = new Response("", { headers: { "content-type": "text/html; charset=utf-8" } });

export function exposureOf(experiment: string): Exposure {
  return { experiment, phase: 1, variant: "v", kind: "targetingKey", unit: "u" };
}

/** As they are when they have been read. */
function editsOf(edits: readonly object[]): Edit[] {
  if (edits.length === 0) return [];
  const read = readPageEdits([{ urls: [{ glob: "*" }], edits }]);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.value.flatMap((pages) => pages.edits);
}

/** What becomes of a page that comes in chunks, which experiments were met there, and what was noted. */
export async function rewritten(chunks: string | string[], given: Given) {
  const noted: Reason[] = [];
  let rest: ReadableStream | null | undefined;
  const met = new Set<string>();
  const planned = (edits: object[], served: boolean): PlannedEdit[] =>
    editsOf(edits).map((edit) => ({ edit, served, exposure: exposureOf("e") }));
  const rewriter = rewriterOf(
    [...planned(given.served ?? [], true), ...planned(given.other ?? [], false)],
    {
      csp: contentSecurityPolicy(given.csp ?? null),
      notes: { note: (reason) => noted.push(reason) },
      met: ({ exposure }) => {
        if (given.fails === true) throw new Error("the middleware's own fault");
        met.add(exposure?.experiment ?? "");
      },
      bootstrap: given.bootstrap ?? null,
      rest: () => rest,
    },
  );
  const { readable } = await pageInput(
    { body: streamOf([chunks].flat()), response: page, isDeclared: true },
    {
      broken: () => {},
      cut: (left) => {
        rest = left;
      },
    },
  );
  const text = await rewriter.transform(new Response(readable)).text();
  return { text, met: met.size > 0, noted };
}
