// Arrays that travel in one text: what `ppo_helpers/live/page_model.py` packs.

/** From `data`, bytes in base 64, and where in them each array stands: the arrays by their names. */
export function unpacked({ data, arrays }) {
  const { buffer } = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const all = new Uint16Array(buffer);
  const read = ({ half, at, length }) => {
    const bits = all.subarray(at, at + length);
    return half ? Float32Array.from(bits, halfPrecision) : bits;
  };
  return Object.fromEntries(Object.entries(arrays).map(([name, where]) => [name, read(where)]));
}

/** The number that 16 bits stand for: a sign, five bits of exponent, ten of what stands behind the point. */
export function halfPrecision(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, (bits & 1023) / 1024];
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}
