import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readText } from "./body.ts";

interface Sent {
  body: Uint8Array<ArrayBuffer> | string;
  encoding?: string;
}

function requestOf({ body, encoding }: Sent, declared: boolean): Request {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return new Request("http://edgewise.test/", {
    method: "POST",
    body: bytes,
    headers: {
      ...(declared && { "content-length": String(bytes.byteLength) }),
      ...(encoding !== undefined && { "content-encoding": encoding }),
    },
  });
}

describe.each([
  ["with its length declared", true],
  ["with no length declared", false],
])("a body %s", (_name, declared) => {
  const read = (sent: Sent, limitBytes = 1_000) => readText(requestOf(sent, declared), limitBytes);

  test.each(["", "{}", "é", "\u{1f600}", "a \ufffd b", "\ufffd\ufffd"])(
    "is read: %j",
    async (body) => {
      expect(await read({ body })).toEqual({ ok: true, value: body });
    },
  );

  test.each([
    ["a lone continuation byte", [0x22, 0x80, 0x22]],
    ["a sequence cut short", [0x22, 0xc3]],
    ["an overlong encoding", [0xc0, 0xaf]],
    ["an encoded surrogate", [0xed, 0xa0, 0x80, 0x80]],
    ["Latin-1", [0x63, 0x61, 0x66, 0xe9]],
  ])("is refused when it is not UTF-8: %s", async (_what, bytes) => {
    expect(await read({ body: Uint8Array.from(bytes) })).toMatchObject({
      ok: false,
      problem: { code: "malformed-json" },
    });
  });

  test("is refused when it is larger than the limit in bytes, and read when it is as large", async () => {
    const refusal = { ok: false, problem: { code: "body-too-large" } };
    expect(await read({ body: "é".repeat(501) })).toMatchObject(refusal);
    expect(await read({ body: "é".repeat(500) })).toMatchObject({ ok: true });
  });

  test("is inflated, up to the limit", async () => {
    const bomb = { body: new Uint8Array(gzipSync("x".repeat(100_000))), encoding: "gzip" };
    expect(bomb.body.byteLength).toBeLessThan(1_000);
    expect(await read(bomb)).toMatchObject({ ok: false, problem: { code: "body-too-large" } });
    expect(await read(bomb, 100_000)).toMatchObject({ ok: true });
  });

  test("is refused in an encoding that is not known, and when it is not what it says", async () => {
    expect(await read({ body: "x", encoding: "br" })).toMatchObject({
      problem: { code: "unsupported-encoding" },
    });
    expect(await read({ body: "not gzip", encoding: "gzip" })).toMatchObject({
      problem: { code: "malformed-json" },
    });
  });
});

test("a declared length that is too large is refused before anything is read", async () => {
  const request = new Request("http://edgewise.test/", {
    method: "POST",
    body: "x",
    headers: { "content-length": "1001" },
  });
  expect(await readText(request, 1_000)).toMatchObject({ problem: { code: "body-too-large" } });
  expect(request.bodyUsed).toBe(false);
});
