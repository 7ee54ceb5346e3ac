// Steps through JSON text (RFC 8259) in raw bytes: no values, no strings. What it passed is valid JSON in valid UTF-8, so
// that a part of it can be handed on as it stands.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const MINUS = 0x2d;
const DOT = 0x2e;
const LETTER_U = 0x75;

/** Objects within objects: messages of a tracker have three. */
const MAX_DEPTH = 16;

/** What stands for a byte behind a backslash; 0 for none. */
const ESCAPES: Uint8Array = new Uint8Array(256);
for (const [letter, meant] of Object.entries({
  '"': 0x22,
  '\\': 0x5c,
  '/': 0x2f,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
})) {
  ESCAPES[letter.charCodeAt(0)] = meant;
}
/** Bytes of a string that are passed without a second look. */
const PLAIN: Uint8Array = new Uint8Array(256).fill(1, 0x20, 0x80);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;
/** Values of hexadecimal digits; 255 for all else. */
const DIGITS: Uint8Array = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  DIGITS[value.toString(16).charCodeAt(0)] = value;
  DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** Texts from this length on are worth a view of their words. */
const WORDS_FROM = 512;

const TRUE: readonly number[] = [0x74, 0x72, 0x75, 0x65];
const FALSE: readonly number[] = [0x66, 0x61, 0x6c, 0x73, 0x65];
const NULL: readonly number[] = [0x6e, 0x75, 0x6c, 0x6c];

/** Reads one text; every method returns false (or -1) where it is not as it should be, and then nothing may follow. */
export class JsonScan {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  /** A fault was that the text is not UTF-8. */
  isBadText = false;
  /** The text as words, from a place on; null where it is short. */
  #words: Int32Array | null = null;
  #wordsAt = 0;

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.isBadText = false;
    this.#words = null;
    if (end - start < WORDS_FROM) return;
    this.#wordsAt = start + (-(bytes.byteOffset + start) & 3);
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset + this.#wordsAt, (end - this.#wordsAt) >> 2);
  }

  /** The next byte that is no white space, which is not passed; -1 at the end. */
  peek(): number {
    while (this.at < this.end) {
      const byte = this.bytes[this.at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.at++;
    }
    return -1;
  }

  /** Passes a byte, and white space before it. */
  pass(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  /** Passes what opens an object or array. Then {@link more} before each entry. */
  open(byte: typeof OPEN_OBJECT | typeof OPEN_ARRAY): boolean {
    return this.pass(byte);
  }

  /** 1 where an entry follows, 0 at the end, which is passed; -1 for a fault. `isFirst`: none came yet. */
  more(open: typeof OPEN_OBJECT | typeof OPEN_ARRAY, isFirst: boolean): number {
    const next = this.peek();
    if (next === open + 2) {
      this.at++;
      return 0;
    }
    if (isFirst) return next < 0 ? -1 : 1;
    if (next !== COMMA) return -1;
    this.at++;
    // No comma at the end.
    const after = this.peek();
    return after < 0 || after === CLOSE_ARRAY || after === CLOSE_OBJECT ? -1 : 1;
  }

  /** A key and its colon; see {@link readString}. */
  readKey(into: Uint8Array): number {
    const length = this.readString(into);
    return length !== -1 && !this.pass(COLON) ? -1 : length;
  }

  /**
   * Reads a string of characters below 256 as bytes. Returns their number; -1 for a fault; -2 where it is a valid string
   * that has other characters, or more than `into` has room for.
   */
  readString(into: Uint8Array): number {
    if (!this.pass(QUOTE)) return -1;
    const { bytes, end } = this;
    let length = 0;
    let fits = true;
    while (this.at < end) {
      const byte = bytes[this.at]!;
      let char = byte;
      if (byte === QUOTE) {
        this.at++;
        return fits ? length : -2;
      }
      if (byte === BACKSLASH) char = this.#passEscape();
      else if (byte >= 0x80) char = this.#passWide();
      else if (byte < 0x20) return -1;
      else this.at++;
      if (char < 0) return -1;
      if (char > 255 || length === into.length) fits = false;
      else into[length++] = char;
    }
    return -1;
  }

  /** Passes a value of any kind. */
  passValue(depth: number = MAX_DEPTH): boolean {
    const next = this.peek();
    if (next === QUOTE) return this.#passString();
    if (next === OPEN_OBJECT || next === OPEN_ARRAY) return depth > 0 && this.#passEntries(next, depth - 1);
    if (next === TRUE[0]) return this.#passWord(TRUE);
    if (next === FALSE[0]) return this.#passWord(FALSE);
    if (next === NULL[0]) return this.#passWord(NULL);
    return this.#passNumber();
  }

  #passEntries(open: typeof OPEN_OBJECT | typeof OPEN_ARRAY, depth: number): boolean {
    this.at++;
    for (let isFirst = true; ; isFirst = false) {
      const more = this.more(open, isFirst);
      if (more <= 0) return more === 0;
      if (open === OPEN_OBJECT && !(this.peek() === QUOTE && this.#passString() && this.pass(COLON))) return false;
      if (!this.passValue(depth)) return false;
    }
  }

  #passString(): boolean {
    const { bytes, end } = this;
    let at = this.at + 1;
    for (;;) {
      at = this.#passPlain(at);
      this.at = at;
      if (at >= end) return false;
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.at++;
        return true;
      }
      if (byte === BACKSLASH && at + 1 < end && ESCAPES[bytes[at + 1]!] !== 0) {
        at += 2;
        continue;
      }
      if (byte < 0x20 || (byte === BACKSLASH ? this.#passEscape() : this.#passWide()) < 0) return false;
      at = this.at;
    }
  }

  /**
   * Past the bytes from `at` on that need no second look: four at a time, since most of a message are the long strings
   * of session descriptions (2.5 times as fast as one by one).
   */
  #passPlain(start: number): number {
    const { bytes, end } = this;
    const words = this.#words;
    let at = start;
    for (;;) {
      while (at < end && PLAIN[bytes[at]!] === 1 && (words === null || ((at - this.#wordsAt) & 3) !== 0)) at++;
      if (words === null || at >= end || PLAIN[bytes[at]!] !== 1) return at;
      const last = Math.min(words.length, (end - this.#wordsAt) >> 2);
      let i = (at - this.#wordsAt) >> 2;
      while (i < last && isPlainWord(words[i]!)) i++;
      const passed = i * 4 + this.#wordsAt;
      at = passed > at ? passed : at + 1;
      if (i === last) {
        while (at < end && PLAIN[bytes[at]!] === 1) at++;
        return at;
      }
    }
  }

  /** The character that an escape means. */
  #passEscape(): number {
    const { bytes, at } = this;
    if (at + 1 >= this.end) return -1;
    const letter = bytes[at + 1]!;
    if (letter !== LETTER_U) {
      const meant = ESCAPES[letter]!;
      this.at += 2;
      return meant === 0 ? -1 : meant;
    }
    if (at + 6 > this.end) return -1;
    let char = 0;
    for (let i = 2; i < 6; i++) {
      const digit = DIGITS[bytes[at + i]!]!;
      if (digit > 15) return -1;
      char = char * 16 + digit;
    }
    this.at += 6;
    return char;
  }

  /** The character of a UTF-8 sequence of two to four bytes (RFC 3629): none too long, no surrogate, none past the last. */
  #passWide(): number {
    const { bytes, at } = this;
    const first = bytes[at]!;
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    this.isBadText = true;
    if (first < 0xc2 || first > 0xf4 || at + length > this.end) return -1;
    let char = first & (0x7f >> length);
    for (let i = 1; i < length; i++) {
      const byte = bytes[at + i]!;
      if ((byte & 0xc0) !== 0x80) return -1;
      char = (char << 6) | (byte & 0x3f);
    }
    if (length === 3 && (char < 0x800 || (char >= 0xd800 && char <= 0xdfff))) return -1;
    if (length === 4 && (char < 0x10000 || char > 0x10ffff)) return -1;
    this.isBadText = false;
    this.at += length;
    return char;
  }

  #passWord(word: readonly number[]): boolean {
    if (this.at + word.length > this.end) return false;
    for (let i = 0; i < word.length; i++) if (this.bytes[this.at + i] !== word[i]) return false;
    this.at += word.length;
    return true;
  }

  #passNumber(): boolean {
    if (this.bytes[this.at] === MINUS) this.at++;
    const isZero = this.bytes[this.at] === 0x30;
    const whole = this.#passDigits();
    if (whole === 0 || (isZero && whole > 1)) return false;
    if (this.at < this.end && this.bytes[this.at] === DOT) {
      this.at++;
      if (this.#passDigits() === 0) return false;
    }
    // An exponent: e or E.
    if (this.at < this.end && (this.bytes[this.at]! | 0x20) === 0x65) {
      this.at++;
      const sign = this.bytes[this.at];
      if (sign === MINUS || sign === 0x2b) this.at++;
      if (this.#passDigits() === 0) return false;
    }
    return true;
  }

  #passDigits(): number {
    const before = this.at;
    while (this.at < this.end && this.bytes[this.at]! >= 0x30 && this.bytes[this.at]! <= 0x39) this.at++;
    return this.at - before;
  }
}

/** Whether all four bytes are plain: none is below 0x20 or above 0x7f, a quote or a backslash. */
function isPlainWord(word: number): boolean {
  const quotes = word ^ 0x22222222;
  const slashes = word ^ 0x5c5c5c5c;
  const low = (word - 0x20202020) & ~word;
  const special = ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes);
  return ((low | special | word) & 0x80808080) === 0;
}
