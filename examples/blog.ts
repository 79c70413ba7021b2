/**
 * A blog that is any fetch handler, with Edgewise around it: what Edgewise publishes is read from KV, exposures go to its queues.
 * Its pages have a content security policy and stream.
 */

import { withEdgewise } from "edgewise/html";
import type { Env } from "./env.ts";
import { recordOutcome } from "./outcome.ts";
import { page } from "./page.ts";

const article = `<article>
<h1>How we chose our teapot</h1>
<p class="standfirst">Forty teapots, six weeks, one winner.</p>
<p>We poured, we weighed, we waited. Most teapots drip; some burn the hand that holds them.</p>
<p>In the end it was the plainest of all.</p>
<form method="post" action="/examples/blog/subscribe"><button class="subscribe">Subscribe</button></form>
</article>`;

async function answer(request: Request, env: Env): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/examples/blog/subscribe") {
    await recordOutcome(request, env, "subscribe");
    return new Response(null, { status: 303, headers: { location: "/examples/blog" } });
  }
  if (pathname !== "/examples/blog") return new Response("There is no such page.", { status: 404 });
  const nonce = crypto.randomUUID();
  const html = page("A blog about teapots", article).replace("<style>", `<style nonce="${nonce}">`);
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'self'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`,
    },
  });
}

export const blog = withEdgewise(answer, (env: Env) => ({
  config: { kv: env.CONFIG, environment: env.EDGEWISE_ENVIRONMENT },
  exposures: { queues: [env.EVENTS_0, env.EVENTS_1, env.EVENTS_2, env.EVENTS_3] },
}));
