/**
 * A shop made with Hono, with Edgewise as middleware: configuration and exposures over a service binding, with a server key.
 * An experiment (scripts/local/demo.ts makes one) changes the product page; the shop does not know.
 */

import { Hono } from "hono";
import { edgewise } from "edgewise/html";
import type { Env } from "./env.ts";
import { recordOutcome } from "./outcome.ts";
import { page } from "./page.ts";

const product = `<main>
<h1>The everyday teapot</h1>
<p>Stoneware, holds 1.2 litres, pours without a drip.</p>
<p class="price">€ 38</p>
<form method="post" action="/examples/shop/buy"><button class="buy">Buy</button></form>
</main>`;

const thanks = `<main><h1>Thank you</h1><p>Your teapot is on its way. <a href="/examples/shop">Buy another</a></p></main>`;

export const shop = new Hono<{ Bindings: Env }>()
  .use(
    edgewise((env: Env) => ({
      config: { service: env.EDGEWISE, key: env.EDGEWISE_KEY },
      bootstrap: ["shop_buy_button"],
    })),
  )
  .get("/examples/shop", (c) => c.html(page("Teapots", product)))
  .get("/examples/shop/thanks", (c) => c.html(page("Thank you", thanks)))
  .post("/examples/shop/buy", async (c) => {
    await recordOutcome(c.req.raw, c.env, "purchase");
    return c.redirect("/examples/shop/thanks", 303);
  });
