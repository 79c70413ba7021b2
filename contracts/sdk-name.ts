/** How the software that asks or tells names itself: `name/version`, in an exposure that it reports, or in the header of a request for which Edgewise reports it. */

import { limits } from "./limits.ts";

const sdkHeader = "x-edgewise-sdk";

const printable = /^[\x21-\x7e]+$/;

export function isSdkName(name: string): boolean {
  return name.length <= limits.sdkLength && printable.test(name);
}

/** What the request's header names; without one, or with one that is no name, `otherwise`: no visitor goes without an answer for it. */
export function sdkOf(headers: Headers, otherwise: string): string {
  const name = headers.get(sdkHeader);
  return name !== null && isSdkName(name) ? name : otherwise;
}
