/** `edgewise/html`: experiments on pages, at the edge. */
export { edgewise, withEdgewise } from "./edgewise.ts";
export type { Api, EdgewiseOptions, EventQueues, PublishedTo } from "./options.ts";
export { visitorId } from "./visitor.ts";
export type { Consent, VisitorSource } from "./visitor.ts";
