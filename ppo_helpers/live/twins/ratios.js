// Ratios of tokens and of whole responses; twins of ratio_board.py.

/** Whether the clip has taken the gradient away: the token has moved as far as its advantage may push it. */
export const isClipped = (ratio, advantage, eps) =>
  (advantage > 0 && ratio > 1 + eps) || (advantage < 0 && ratio < 1 - eps);

/** Of one response: the logarithms of its ratio per token, on geometric average, and of its ratio as a whole. */
export function logRatios(ratios) {
  const whole = ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0);
  return { each: whole / ratios.length, whole };
}

/** Of a batch: shares of tokens outside the band and without gradient, and the largest ratios. */
export function factsOf(ratios, advantages, eps) {
  const [r, a] = [ratios.flat(), advantages.flat()];
  const share = (fits) => r.filter(fits).length / r.length;
  return {
    outside: share((ratio) => Math.abs(ratio - 1) > eps),
    clipped: share((ratio, i) => isClipped(ratio, a[i], eps)),
    token: Math.max(...r),
    response: Math.exp(Math.max(...ratios.map((own) => logRatios(own).whole))),
  };
}
