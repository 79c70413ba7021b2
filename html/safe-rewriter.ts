/** HTMLRewriter whose handlers never throw into the page, which would end it: what throws is noted, and the page goes on as it is. */

import type { Notes } from "./notes.ts";

/** Where an element ends. */
interface End {
  /** By its own end tag. */
  isOwn: boolean;
  before(html: string): void;
  /** Only where it is its own. */
  after(html: string): void;
}

interface Ending {
  tagName: string;
  handlers: ((end: End) => void)[];
  /** What others have written at the same end tag is lost where the element ends, because the runtime keeps its own edits of it. */
  overwrites: "nothing" | "what is written" | "that and the tag";
}

const asHtml = { html: true };

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
   * `handler` is called where the element ends: by its own end tag, or by that of an element that it is in when it has none; inner elements'
   * first. Throws on one that cannot have any. Only for elements of the selectors that the rewriter was made with.
   */
  atEndOf(element: Element, handler: (end: End) => void): void;
  /** Takes an element's tags away, and what is in it if `withContent`. */
  remove(element: Element, withContent: boolean): void;
  /** What is done to the element's end tag by elements in it that end with it is undone. */
  keepEnd(element: Element): void;
  /** `handler` is called when the whole page has passed. */
  atEnd(handler: (end: DocumentEnd) => void | Promise<void>): void;
  transform(response: Response): Response;
}

/** @param first called for each element of the selectors, before any other handler. The list is empty for no selector. */
export function safeRewriter(
  notes: Notes,
  selectors: readonly string[],
  first: (element: Element) => void,
): SafeRewriter {
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
  // The runtime keeps one handler an element, the last one, and gives each selector's handlers an object of their own for the same element.
  let ending: Ending | null = null;
  /** How many elements overwrite what is written where they end, and have not ended. */
  let overwriting = 0;
  /** What has been written at the end tag at which elements are ending, one by one. */
  let written = { at: "", html: "" };
  if (selectors.length > 0) {
    rewriter.on(selectors.join(", "), {
      element: safe((element) => {
        ending = null;
        written = { at: "", html: "" };
        // With every end heard, one end tag is told from the next.
        if (overwriting > 0) endingOf(element);
        first(element);
      }),
    });
  }

  /** Null: it cannot have an end. */
  function endingOf(element: Element): Ending | null {
    if (ending !== null) return ending;
    const { tagName } = element;
    const mine: Ending = { tagName, handlers: [], overwrites: "nothing" };
    try {
      element.onEndTag((tag) => endAt(tag, mine));
    } catch {
      return null;
    }
    ending = mine;
    return mine;
  }

  function endAt(tag: EndTag, { tagName, handlers, overwrites }: Ending): void {
    const isOwn = tag.name === tagName;
    if (written.at !== tag.name) written = { at: tag.name, html: "" };
    if (overwrites !== "nothing") {
      overwriting -= 1;
      tag.before(written.html, asHtml);
      if (!isOwn && overwrites === "that and the tag") tag.after(`</${tag.name}>`, asHtml);
    }
    const end: End = {
      isOwn,
      before(html) {
        written.html += html;
        tag.before(html, asHtml);
      },
      after: (html) => void tag.after(html, asHtml),
    };
    for (const each of handlers) safe(each)(end);
    if (isOwn) written = { at: "", html: "" };
  }

  function overwrite(element: Element, overwrites: Ending["overwrites"]): void {
    const mine = endingOf(element);
    if (mine === null) return;
    if (mine.overwrites === "nothing") overwriting += 1;
    mine.overwrites = overwrites;
  }

  const atEnd: ((end: DocumentEnd) => void | Promise<void>)[] = [];
  rewriter.onDocument({
    async end(end) {
      for (const handler of atEnd) {
        try {
          await handler(end);
        } catch (error) {
          notes.note("failed", String(error));
        }
      }
    },
  });
  return {
    on(selector, { element, text, comments }) {
      rewriter.on(selector, {
        ...(element && { element: safe(element) }),
        ...(text && { text: safe(text) }),
        ...(comments && { comments: safe(comments) }),
      });
    },
    atEndOf(element, handler) {
      const mine = endingOf(element);
      if (mine === null) throw new TypeError(`${element.tagName} has no end`);
      mine.handlers.push(handler);
    },
    remove(element, withContent) {
      if (withContent) element.remove();
      else element.removeAndKeepContent();
      overwrite(element, "that and the tag");
    },
    keepEnd(element) {
      element.after("", asHtml);
      overwrite(element, "what is written");
    },
    atEnd: (handler) => void atEnd.push(handler),
    transform: (response) => rewriter.transform(response),
  };
}
