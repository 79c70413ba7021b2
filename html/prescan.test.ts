import { describe, expect, test } from "vitest";
import { saysUtf8 } from "./prescan.ts";

describe("what a page says of its encoding, as browsers read it", () => {
  test.each([
    [`<meta charset="utf-8">`, true],
    [`<META CHARSET = utf8 >`, true],
    [`<meta/charset='UTF-8'/>`, true],
    [`<meta name=x charset=" utf-8 ">`, true],
    [`<meta charset=utf-16le>`, true],
    [`<meta http-equiv=content-type content="text/html; charset='utf-8'">`, true],
    [`<meta content="text/html;charset=utf-8;x" http-equiv=Content-Type>`, true],
    ["\u00ef\u00bb\u00bf<meta charset=latin1>", true],
    [`<script>if (a<b) "<p"</script><title>a < b</title><meta charset=utf-8>`, true],
    ["<!--><meta charset=utf-8>", true],
    [`<p title='<meta charset="latin1">'><meta charset=utf-8>`, true],
    ["<!doctype html><?x?></ y><meta charset=utf-8>", true],
    [`<meta charset="iso-8859-1"><meta charset="utf-8">`, false],
    [`<meta charset=latin1 charset=utf-8>`, false],
    ["\u00fe\u00ff<meta charset=utf-8>", false],
    [`<script>"<meta charset=latin1>"</script><meta charset=utf-8>`, false],
  ])("%s: %j", (page, said) => {
    expect(saysUtf8(page)).toBe(said);
  });

  test.each([
    ["<!-- <meta charset=utf-8>"],
    ["<!-- <meta charset=utf-8> --><h1>x</h1>"],
    [`<script>"<meta charset=utf-8>"</script>`],
    [`<p title="<meta charset=utf-8>">`],
    [`<meta name="description" content="charset=utf-8">`],
    [`<meta data-charset="utf-8">`],
    [`<metadata charset="utf-8">`],
    [`<link charset="utf-8">`],
    ["</meta charset=utf-8>"],
    [`<meta http-equiv="refresh" content="0; charset=utf-8">`],
    // What has not come yet.
    ["<meta charset=utf-"],
    [`<meta charset="utf-8"`],
    [`<meta charset="utf-8`],
    [`<meta content="text/html; charset=utf-8`],
    ["<meta"],
    ["<!doctype"],
  ])("%s says nothing", (page) => {
    expect(saysUtf8(page)).toBeNull();
  });
});
