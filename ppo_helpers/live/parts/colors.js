// The colours of values and errors on cells, the same in light and dark; those of roles are CSS variables, see
// figure.css.
const RAMP = { low: [221, 138, 118], middle: [243, 234, 215], high: [85, 181, 163] }; // −5, 0, +5
const WRONG = { none: [251, 248, 240], all: [179, 55, 44] };

const between = (from, to, share) => `rgb(${from.map((v, i) => Math.round(v + (to[i] - v) * share)).join(" ")})`;

/** Terracotta at −5, sand at 0, teal at +5. */
export function valueColor(value) {
  return between(RAMP.middle, value < 0 ? RAMP.low : RAMP.high, Math.min(Math.abs(value) / 5, 1));
}

/** Nearly white where nothing is wrong, red from a share of 1 on. */
export const errorColor = (share) => between(WRONG.none, WRONG.all, Math.min(share, 1));
