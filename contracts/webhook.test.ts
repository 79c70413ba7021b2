import { expect, test } from "vitest";
import { webhookUrlFault } from "./webhook.ts";

test.each([
  "http://hooks.acme.com/edgewise",
  "ftp://hooks.acme.com",
  "https://127.0.0.1/",
  "https://10.0.0.8/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0177.0.0.1/",
  "https://[::1]/",
  "https://[fd00::1]/",
  "https://169.254.169.254/latest/meta-data",
  "https://localhost/",
  "https://LOCALHOST./",
  "https://intranet/",
  "https://db.internal/",
  "https://printer.local/",
  "https://user:secret@hooks.acme.com/",
  "hooks.acme.com",
])("nothing is sent to %s", (url) => {
  expect(webhookUrlFault(url, false)).not.toBeNull();
});

test("https to a public name is sent to; a local Edgewise also sends to itself, and to nobody else's inside", () => {
  expect(webhookUrlFault("https://hooks.acme.com:8443/edgewise?team=a", false)).toBeNull();
  expect(webhookUrlFault("http://localhost:9000/", false)).not.toBeNull();
  expect(webhookUrlFault("http://localhost:9000/", true)).toBeNull();
  expect(webhookUrlFault("http://127.0.0.1:9000/", true)).toBeNull();
  expect(webhookUrlFault("http://10.0.0.8/", true)).not.toBeNull();
});
