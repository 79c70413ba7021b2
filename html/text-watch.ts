/** What text an element of a page has, told where it ends, so that one may know whether an edit of it changed anything. */

import { endedBy } from "./optional-end-tags.ts";
import { withoutReferences } from "./references.ts";
import type { SafeRewriter } from "./safe-rewriter.ts";
import { childrenOf } from "./selector-parts.ts";

/** Null: the element has others in it, or its text is not known. */
type Told = (text: string | null) => void;

/** Texts are not longer, nor compared beyond that. */
const longestText = 100_000;

export interface TextWatch {
  /** To be called when the element begins. */
  begin(element: Element, told: Told): void;
  /** To be called when the page ends. */
  end(): void;
}

/** Of elements that a selector matches. Must be made before they are handled by anything else. */
export function textWatch(rewriter: SafeRewriter, selector: string): TextWatch {
  /** All of one element: of those in each other the outer one has an element in it. */
  let open: { element: Element; tag: string; text: string; told: Told[] } | null = null;
  const end = (hasElements: boolean) => {
    if (open === null) return;
    const { text, told } = open;
    open = null;
    for (const tell of told) tell(hasElements ? null : withoutReferences(text));
  };
  rewriter.on(childrenOf(selector), {
    element({ tagName }) {
      if (open !== null) end(endedBy.get(open.tag)?.has(tagName) !== true);
    },
  });
  rewriter.on(selector, {
    text({ text }) {
      if (open === null) return;
      open.text += text;
      if (open.text.length > longestText) end(true);
    },
  });
  return {
    begin(element, told) {
      if (open !== null && open.element === element) {
        open.told.push(told);
        return;
      }
      const begun = { element, tag: element.tagName, text: "", told: [told] };
      open = begun;
      rewriter.atEndOf(element, () => {
        if (open === begun) end(false);
      });
    },
    end: () => end(false),
  };
}
