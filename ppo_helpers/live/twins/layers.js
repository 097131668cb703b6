// The layers that GPT-2 is made of, for one position: x is a Float32Array.

/** weight·x + bias, for a weight of as many rows as there are outputs. */
export function linear(x, weight, bias = null) {
  const [inputs, outputs] = [x.length, weight.length / x.length];
  const y = new Float32Array(outputs);
  for (let row = 0, at = 0; row < outputs; row++) {
    let sum = bias ? bias[row] : 0;
    for (let i = 0; i < inputs; i++) sum += weight[at++] * x[i];
    y[row] = sum;
  }
  return y;
}

/** Shifted and scaled to mean 0 and standard deviation 1, then by what was learned. */
export function layerNorm(x, scale, shift) {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  return x.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * scale[i] + shift[i]);
}

/** The bend between the two matrices of a layer, in GPT-2's approximation. */
export const gelu = (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));

export function addTo(x, y) {
  for (let i = 0; i < x.length; i++) x[i] += y[i];
}
