// Arrays that travel in one text: what `ppo_helpers/live/page_model.py` packs.

/** From `data`, bytes in base 64, and where in them each array stands, in pairs of bytes: the arrays by their names. */
export function unpacked({ data, arrays }) {
  const { buffer } = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const read = {
    whole: (at, length) => new Uint16Array(buffer, at, length),
    half: (at, length) => Float32Array.from(new Uint16Array(buffer, at, length), halfPrecision),
    bytes: (at, length) => new Uint8Array(buffer, at, 2 * length),
  };
  const all = Object.entries(arrays);
  return Object.fromEntries(all.map(([name, { kind, at, length }]) => [name, read[kind](2 * at, length)]));
}

/** The number that 16 bits stand for: a sign, five bits of exponent, ten of what stands behind the point. */
export function halfPrecision(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, (bits & 1023) / 1024];
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

/** The weights after a training, from those before it and what `name`/ has added; a matrix in four bits a number. */
export function changed(weights, changes, name) {
  const found = {};
  for (const [part, before] of Object.entries(weights)) {
    const [added, scales] = [changes[`${name}/${part}`], changes[`${name}/${part}.scales`]];
    const width = scales ? before.length / scales.length : 1;
    const number = scales
      ? (i) => scales[Math.floor(i / width)] * (((added[i >> 1] >> (4 * (i & 1))) & 15) - 8)
      : (i) => added[i];
    found[part] = before.map((v, i) => v + number(i));
  }
  return found;
}
