import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { signature } from "./webhook-signature.ts";

test("the published example of Standard Webhooks is signed as it says", async () => {
  const signed = await signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp: "1614265330",
    body: '{"test": 2432232314}',
  });
  expect(signed).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("text beyond ASCII is signed as UTF-8, which is how it is sent", async () => {
  const body = '{"summary":"Ünïcödé — 20 %"}';
  const mac = createHmac("sha256", Buffer.from("c2VjcmV0", "base64")).update(`e.1.${body}`);
  expect(await signature("whsec_c2VjcmV0", { id: "e", timestamp: "1", body })).toBe(
    `v1,${mac.digest("base64")}`,
  );
});
