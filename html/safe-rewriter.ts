/** HTMLRewriter whose handlers never throw into the page, which would end it: what throws is noted, and the page goes on as it is. */

import type { Notes } from "./notes.ts";

export interface SafeRewriter {
  on(
    selector: string,
    handlers: {
      element?: (element: Element) => void;
      text?: (text: Text) => void;
      comments?: (comment: Comment) => void;
    },
  ): void;
  /**
   * `handler` is called where the element ends: by its own end tag, or by its parent's when it has none. Throws on one that cannot have
   * any. The runtime keeps one handler an element, the last one; here all are kept, whichever selectors' handlers give them, when the
   * rewriter was made for several.
   */
  atEndOf(element: Element, handler: (tag: EndTag) => void): void;
  /** `handler` is called when the whole page has passed. */
  atEnd(handler: () => void): void;
  transform(response: Response): Response;
}

/** @param forSeveral handlers of several selectors wait for ends: then each element of the page costs a call */
export function safeRewriter(notes: Notes, forSeveral: boolean): SafeRewriter {
  const rewriter = new HTMLRewriter();
  const safe =
    <Token>(handler: (token: Token) => void) =>
    (token: Token) => {
      try {
        handler(token);
      } catch (error) {
        notes.note("failed", String(error));
      }
    };
  const ends = new WeakMap<Element, ((tag: EndTag) => void)[]>();
  // Each selector's handlers are given an object of their own for the same element; what tells elements apart is who comes first.
  let current: ((tag: EndTag) => void)[] = [];
  if (forSeveral) {
    rewriter.on("*", {
      element() {
        current = [];
      },
    });
  }
  return {
    on(selector, { element, text, comments }) {
      rewriter.on(selector, {
        ...(element && { element: safe(element) }),
        ...(text && { text: safe(text) }),
        ...(comments && { comments: safe(comments) }),
      });
    },
    atEndOf(element, handler) {
      const known = ends.get(element);
      if (known !== undefined) {
        known.push(handler);
        return;
      }
      const handlers = forSeveral ? current : [];
      element.onEndTag((tag) => {
        for (const each of handlers.splice(0)) safe(each)(tag);
      });
      handlers.push(handler);
      ends.set(element, handlers);
    },
    atEnd(handler) {
      rewriter.onDocument({ end: safe(handler) });
    },
    transform: (response) => rewriter.transform(response),
  };
}
