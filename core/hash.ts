// oxlint-disable-next-line typescript/triple-slash-reference -- whatever program takes in this file finds the types
/// <reference path="./murmurhash3js-revisited.d.ts" />
/**
 * Where a unit falls: hash version 1, murmur3 x86 32-bit, seed 0, over UTF-8 (an unpaired surrogate counts as U+FFFD).
 * These answers are published and reproduced in SQL and other languages; they never change.
 * Anything else comes under a new `hashVersion`.
 */
import murmurHash3 from "murmurhash3js-revisited";

/** Basis points: 10000 buckets of 0.01 % each. */
export const BUCKETS = 10_000;

// A Uint8Array holds nothing but bytes, and looking costs a sixth of hashing.
murmurHash3.inputValidation = false;

const encoder = new TextEncoder();

/** ASCII is written here without allocating; one view per length, because the library hashes all that it is given. */
const scratch = new Uint8Array(512);
const views: (Uint8Array | undefined)[] = [];

/** Copies `text` to the scratch from `at` on; the position after it, or -1 when it is not ASCII. */
function writeAscii(text: string, at: number): number {
  let end = at;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return -1;
    scratch[end++] = code;
  }
  return end;
}

function hashBytes(bytes: Uint8Array): number {
  return murmurHash3.x86.hash32(bytes, 0) ?? 0;
}

function hashScratch(length: number): number {
  return hashBytes((views[length] ??= scratch.subarray(0, length)));
}

/** murmur3 x86 32-bit, seed 0, of the UTF-8 bytes of `text`: an unsigned 32-bit integer. */
export function hash32(text: string): number {
  if (text.length <= scratch.length) {
    const length = writeAscii(text, 0);
    if (length >= 0) return hashScratch(length);
  }
  return hashBytes(encoder.encode(text));
}

/** The bucket, 0…9999, of a unit under a salt: `hash32(salt + ":" + unitId) mod 10000`. */
export function bucket(salt: string, unitId: string): number {
  if (salt.length + unitId.length < scratch.length) {
    const colon = writeAscii(salt, 0);
    if (colon >= 0) {
      scratch[colon] = 0x3a;
      const length = writeAscii(unitId, colon + 1);
      if (length >= 0) return hashScratch(length) % BUCKETS;
    }
  }
  return hash32(`${salt}:${unitId}`) % BUCKETS;
}
