/** How the software that asks or tells names itself: `name/version`, in an exposure that it reports, or in the header of a request for which Edgewise reports it. */

import { limits } from "./limits.ts";

const printable = /^[\x21-\x7e]+$/;

export function isSdkName(name: string): boolean {
  return name.length <= limits.sdkLength && printable.test(name);
}
