// GPT-2's tokenizer: a text's bytes, and the merges of neighbours that its training found, the earliest first.
//
// Tokens 0 … 255 are the bytes, token 256 + i is what merge i makes of two earlier ones, and the last token ends a
// text. So the list of merges is the whole vocabulary.
const KINDS = ["'(?:[sdmt]|ll|ve|re)", " ?\\p{L}+", " ?\\p{N}+", " ?[^\\p{White_Space}\\p{L}\\p{N}]+"];
const SPACES = ["\\p{White_Space}+(?!\\P{White_Space})", "\\p{White_Space}+"]; // the last space goes with its word
const WORDS = new RegExp([...KINDS, ...SPACES].join("|"), "gu");
export const END = "<|endoftext|>";

/** The byte of each of the first 256 tokens: those that can be printed come first. */
export function bytesInOrder() {
  const printable = (b) => (b > 0x20 && b < 0x7f) || (b > 0xa0 && b !== 0xad);
  const bytes = Array.from({ length: 256 }, (_, b) => b);
  return [...bytes.filter(printable), ...bytes.filter((b) => !printable(b))];
}

/** From the merges, two tokens each in one flat list: `encode` a text, and say which `bytes` a token is made of. */
export function tokenizer(merges) {
  const bytesOf = bytesInOrder().map((b) => [b]);
  const tokenOf = [];
  for (const [token, [byte]] of bytesOf.entries()) tokenOf[byte] = token;
  const made = new Map();
  const pair = (a, b) => a * 65536 + b;
  for (let i = 0; i < merges.length; i += 2) {
    const [a, b] = [merges[i], merges[i + 1]];
    made.set(pair(a, b), bytesOf.length);
    bytesOf.push([...bytesOf[a], ...bytesOf[b]]);
  }
  const end = bytesOf.length;
  bytesOf.push(utf8(END));

  /** Of all pairs of neighbours the earliest merge, wherever it stands, until no pair can be merged. */
  function merged(tokens) {
    for (;;) {
      const merges = tokens.map((token, i) => made.get(pair(token, tokens[i + 1])) ?? Infinity);
      const earliest = merges.reduce((a, b) => Math.min(a, b), Infinity);
      if (earliest === Infinity) return tokens;
      tokens = joined(tokens, merges, earliest);
    }
  }
  const words = (text) => (text.match(WORDS) ?? []).flatMap((word) => merged(utf8(word).map((b) => tokenOf[b])));
  const encode = (text) => text.split(END).flatMap((part, i) => (i ? [end, ...words(part)] : words(part)));
  return { encode, bytes: (token) => bytesOf[token], end };
}

/** Tokens in which one merge is made wherever it can be, from the left. */
function joined(tokens, merges, merge) {
  const next = [];
  for (let i = 0; i < tokens.length; i++) {
    const both = merges[i] === merge;
    next.push(both ? merge : tokens[i]);
    if (both) i += 1;
  }
  return next;
}

const utf8 = (text) => Array.from(new TextEncoder().encode(text));

/** Bytes as text, in which those that are only a part of a character are written as <0xD7>; twin of `token_text`. */
export function readable(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const letter = letterAt(bytes, i);
    text += letter ?? `<0x${bytes[i].toString(16).toUpperCase().padStart(2, "0")}>`;
    i += letter === null ? 1 : utf8(letter).length;
  }
  return text;
}

function letterAt(bytes, at) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      const letter = decoder.decode(Uint8Array.from(bytes.slice(at, at + length)));
      return letter === "\ufffd" ? null : letter;
    } catch {} // not a whole character yet
  }
  return null;
}
