// Networks with tanh between their layers, as ppo_helpers.networks and torch.optim.Adam have them: the tests hold them
// equal. All parameters of a network lie in one array, in PyTorch's order: of each layer its weights, output by output,
// then its biases. So a step of the optimiser is one loop.

const TOGETHER = 5; // rows that share a pass through the weights, in less than half the time; a small grid has ten

/** A network whose layers have these widths. Its parameters are 0. */
export function networkOf(sizes) {
  const layers = sizes.slice(1).map((outputs, k) => ({ inputs: sizes[k], outputs }));
  const count = layers.reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
  const network = { layers, parameters: new Float64Array(count), gradient: new Float64Array(count) };
  let at = 0;
  const take = (length) => {
    at += length;
    return [network.parameters, network.gradient].map((all) => all.subarray(at - length, at));
  };
  for (const layer of layers) {
    [layer.weight, layer.weightGradient] = take(layer.inputs * layer.outputs);
    [layer.bias, layer.biasGradient] = take(layer.outputs);
  }
  return network;
}

/** Orthogonal weights, √2 times as long below the last layer and `gain` times in it. Biases stay 0. */
export function initialise({ layers }, gain, normal) {
  layers.forEach((layer, k) => {
    orthogonal(layer, k < layers.length - 1 ? Math.SQRT2 : gain, normal);
  });
}

/** Random directions, each of them made perpendicular to those before it: Gram and Schmidt. */
function orthogonal({ weight, inputs, outputs }, gain, normal) {
  const [count, length] = outputs < inputs ? [outputs, inputs] : [inputs, outputs];
  const found = [];
  while (found.length < count) {
    let fresh = Array.from({ length }, normal);
    for (const old of found) {
      const along = fresh.reduce((sum, v, i) => sum + v * old[i], 0);
      fresh = fresh.map((v, i) => v - along * old[i]);
    }
    const size = Math.hypot(...fresh);
    found.push(fresh.map((v) => v / size));
  }
  const vector = (o, i) => (outputs < inputs ? found[o][i] : found[i][o]);
  for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) weight[o * inputs + i] = gain * vector(o, i);
}

/** Inputs of one length in one array, with room for whole groups of rows. */
export function stacked(inputs) {
  const size = inputs[0].length;
  const all = new Float64Array(Math.ceil(inputs.length / TOGETHER) * TOGETHER * size);
  inputs.forEach((input, n) => {
    all.set(input, n * size);
  });
  return all;
}

/** As Math.tanh up to rounding, in half the time. */
const tanh = (x) => 1 - 2 / (Math.exp(2 * x) + 1);

/** The inputs, as `stacked` gives them, and what each layer makes of them; the last entry is the network's answers. */
export function forward({ layers }, inputs) {
  const seen = [inputs];
  layers.forEach((layer, k) => {
    const sums = weighted(layer, seen[k]);
    if (k < layers.length - 1) for (let i = 0; i < sums.length; i++) sums[i] = tanh(sums[i]);
    seen.push(sums);
  });
  return seen;
}

function weighted({ weight, bias, inputs, outputs }, x) {
  const sums = new Float64Array((x.length / inputs) * outputs);
  for (let n = 0, to = 0; n < x.length; n += TOGETHER * inputs, to += TOGETHER * outputs) {
    const [second, third, fourth, fifth] = [n + inputs, n + 2 * inputs, n + 3 * inputs, n + 4 * inputs];
    for (let o = 0, at = 0; o < outputs; o++) {
      let a = bias[o]; // plain numbers: to take lists apart costs more than all that is done with them here
      let b = a;
      let c = a;
      let d = a;
      let e = a;
      for (let i = 0; i < inputs; i++, at++) {
        const w = weight[at];
        a += w * x[n + i];
        b += w * x[second + i];
        c += w * x[third + i];
        d += w * x[fourth + i];
        e += w * x[fifth + i];
      }
      sums[to + o] = a;
      sums[to + outputs + o] = b;
      sums[to + 2 * outputs + o] = c;
      sums[to + 3 * outputs + o] = d;
      sums[to + 4 * outputs + o] = e;
    }
  }
  return sums;
}

/** The gradient of a loss, from its slopes by the answers: `seen` is what `forward` gave. */
export function backward({ layers, gradient }, seen, slopes) {
  gradient.fill(0);
  for (let k = layers.length - 1, down = slopes; k >= 0; k--) {
    const x = seen[k];
    down = passedDown(layers[k], x, down);
    for (let i = 0; i < down.length; i++) down[i] *= 1 - x[i] * x[i]; // tanh′; nobody reads it below the first layer
  }
}

/** Adds to the gradients of a layer; returns the slopes by its inputs `x`. */
function passedDown({ weight, weightGradient, biasGradient, inputs, outputs }, x, slopes) {
  const down = new Float64Array(x.length);
  for (let n = 0, from = 0; n < x.length; n += TOGETHER * inputs, from += TOGETHER * outputs) {
    const [second, third, fourth, fifth] = [n + inputs, n + 2 * inputs, n + 3 * inputs, n + 4 * inputs];
    for (let o = 0, at = 0; o < outputs; o++) {
      const a = slopes[from + o];
      const b = slopes[from + outputs + o];
      const c = slopes[from + 2 * outputs + o];
      const d = slopes[from + 3 * outputs + o];
      const e = slopes[from + 4 * outputs + o];
      biasGradient[o] += a + b + c + d + e;
      for (let i = 0; i < inputs; i++, at++) {
        const w = weight[at];
        weightGradient[at] +=
          a * x[n + i] + b * x[second + i] + c * x[third + i] + d * x[fourth + i] + e * x[fifth + i];
        down[n + i] += a * w;
        down[second + i] += b * w;
        down[third + i] += c * w;
        down[fourth + i] += d * w;
        down[fifth + i] += e * w;
      }
    }
  }
  return down;
}
