/** The body of `POST /api/v1/keys`. */

import * as z from "zod/mini";
import { name } from "./fields.ts";

const origin = z.string().check(
  z.refine(isOrigin, {
    error:
      "An origin is as browsers send it: a scheme and a host in small letters, a port that is not the scheme's own, no path; such as https://shop.example.",
  }),
);

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

export const keyRequest = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("server"), name }),
    z.strictObject({
      kind: z.literal("client"),
      name,
      origins: z.exactOptional(z.array(origin).check(z.maxLength(50))),
    }),
    z.strictObject({
      kind: z.literal("admin"),
      name,
      role: z._default(z.enum(["viewer", "editor", "admin"]), "viewer"),
    }),
  ],
  { error: "Use kind server, client or admin." },
);
