/** Two sites with experiments on their pages: a shop under /examples/shop, a blog under /examples/blog. */

import type { ExportedHandler } from "@cloudflare/workers-types";
import { blog } from "./blog.ts";
import type { Env } from "./env.ts";
import { shop } from "./shop.ts";

export default {
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/examples/blog")) return blog(request, env, context);
    if (pathname.startsWith("/examples/shop")) return shop.fetch(request, env, context);
    const headers = new Headers({ location: "/examples/shop" });
    if (pathname === "/examples/another-visitor") {
      // Who sends a visitor here may be anybody: back goes only to a page of these.
      const referer = request.headers.get("referer") ?? "";
      const from = URL.canParse(referer) ? new URL(referer).pathname : "";
      if (from.startsWith("/examples/")) headers.set("location", from);
      headers.append("set-cookie", "edgewise_visitor=; Max-Age=0; Path=/; Secure; SameSite=Lax");
    }
    return new Response(null, { status: 303, headers });
  },
} satisfies ExportedHandler<Env>;
