/** The body of `POST /api/v1/keys`. */

import * as z from "zod/mini";
import { name } from "./fields.ts";

const origin = z.string().check(
  z.regex(/^https?:\/\/[^/\s]+$/, {
    error: "An origin is a scheme and a host, such as https://shop.example, without a path.",
  }),
);

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
