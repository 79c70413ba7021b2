import { expect, test } from "vitest";
import { wholeTags } from "./whole-tags.ts";

function cut(chunks: readonly string[]): string[] {
  const cutting = wholeTags();
  const encoder = new TextEncoder();
  return [...chunks.map((chunk) => encoder.encode(chunk)), null]
    .flatMap((chunk) => cutting(chunk).map((piece) => new TextDecoder().decode(piece)))
    .filter((text) => text !== "");
}

test.each([
  [
    ["<p>one</p>", "<p>two</p>"],
    ["<p>one</p>", "<p>two</p>"],
  ],
  [
    ["<p>one</p><im", "g src=x", ">two"],
    ["<p>one</p>", "<img src=x>", "two"],
  ],
  [
    ["text <", "b>bold"],
    ["text ", "<b>", "bold"],
  ],
  [
    ["no tag", " at all"],
    ["no tag", " at all"],
  ],
  [
    ["a < b", " and more", " text"],
    ["a ", "< b and more text"],
  ],
  [["<a", "<b", "<c>"], ["<a<b<c>"]],
  [
    ["<a title='>", "still in it", "'>"],
    ["<a title='>", "still in it", "'>"],
  ],
  [[""], []],
])("%j is passed on as %j", (chunks, expected) => {
  expect(cut(chunks)).toEqual(expected);
});

test("however a page is cut, it comes out whole, and its tags in one piece", () => {
  const page = `<!doctype html><p class="a">1 < 2 &amp; 3</p><img src='x'><!-- c --><br/>end`;
  for (let size = 1; size < page.length; size++) {
    const chunks = page.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
    const pieces = cut(chunks);
    expect(pieces.join("")).toBe(page);
    expect(pieces.some((piece) => piece.includes("<img") && !piece.includes("<img src='x'>"))).toBe(
      false,
    );
  }
});

test("what is never ended is not held for ever", () => {
  const chunk = "x".repeat(1_000_000);
  const pieces = cut(["<script>a <", ...Array.from({ length: 20 }, () => chunk)]);
  expect(pieces.join("")).toHaveLength("<script>a <".length + 20_000_000);
  expect(pieces.length).toBeGreaterThan(2);
});
