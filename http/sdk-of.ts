/** By what a request says that it was made. */

import { isSdkName } from "../contracts/sdk-name.ts";

const sdkHeader = "x-edgewise-sdk";

/** What the request's header names; without one, or with one that is no name, `otherwise`: no visitor goes without an answer for it. */
export function sdkOf(headers: Headers, otherwise: string): string {
  const name = headers.get(sdkHeader);
  return name !== null && isSdkName(name) ? name : otherwise;
}
