/**
 * Numbers as short text: 64 printable characters as digits, none of which JSON or SQL has to escape.
 * Whatever number was written is read again, to the last bit (-0 as 0, as in JSON); reading anything else throws.
 */

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const digitOf = new Uint8Array(128).fill(64);
for (let digit = 0; digit < 64; digit++) digitOf[digits.charCodeAt(digit)] = digit;

/** Below it whole numbers, and numbers of hundredths, stay exact with what is told beside them. */
const mostWhole = 2 ** 48;
/** What a packed number is: stored in its lowest two bits. */
const whole = 0;
const hundredths = 1;
const decimal = 2;

/** A whole number from 0 on: five bits a character, the lowest first, and whether there are more. */
export function packNatural(natural: number): string {
  let text = "";
  let rest = natural;
  for (; rest >= 32; rest = Math.floor(rest / 32)) text += digits.charAt(32 + (rest % 32));
  return text + digits.charAt(rest);
}

/** Any number. */
export function packNumber(number: number): string {
  if (Number.isInteger(number) && Math.abs(number) < mostWhole) return packScaled(number, whole);
  const scaled = Math.round(number * 100);
  if (scaled / 100 === number && Math.abs(scaled) < mostWhole)
    return packScaled(scaled, hundredths);
  const text = String(number);
  return packNatural(text.length * 4 + decimal) + text;
}

function packScaled(number: number, kind: number): string {
  return packNatural((number < 0 ? -2 * number - 1 : 2 * number) * 4 + kind);
}

/** A whole number of at most 54 bits in as many characters whatever it is. */
export function packBits(number: number): string {
  let text = "";
  let rest = number;
  for (let i = 0; i < bitsWidth; i++, rest = Math.floor(rest / 64))
    text += digits.charAt(rest % 64);
  return text;
}

const bitsWidth = 9;

/** Reads what was packed, in the same order. */
export class PackedReader {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  natural(): number {
    let natural = 0;
    for (let scale = 1; ; scale *= 32) {
      const digit = this.#digit();
      if (digit < 32) return natural + digit * scale;
      natural += (digit - 32) * scale;
    }
  }

  number(): number {
    const packed = this.natural();
    const kind = packed % 4;
    const magnitude = Math.floor(packed / 4);
    if (kind === decimal) return Number(this.text(magnitude));
    const number = magnitude % 2 === 0 ? magnitude / 2 : -(magnitude + 1) / 2;
    return kind === whole ? number : number / 100;
  }

  bits(): number {
    let bits = 0;
    for (let i = 0, scale = 1; i < bitsWidth; i++, scale *= 64) bits += this.#digit() * scale;
    return bits;
  }

  /** As many characters as they are. */
  text(length: number): string {
    const text = this.#text.slice(this.#at, this.#at + length);
    this.#at += length;
    if (text.length < length) throw new RangeError("packed text ends too early");
    return text;
  }

  /** All that is left. */
  rest(): string {
    return this.text(this.#text.length - this.#at);
  }

  #digit(): number {
    const digit = digitOf[this.#text.charCodeAt(this.#at++)] ?? 64;
    if (digit === 64) throw new RangeError("not packed text");
    return digit;
  }
}
