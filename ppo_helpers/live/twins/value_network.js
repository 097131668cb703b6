// A small network and its training in plain numbers, as ppo_helpers.networks and torch.optim.Adam do it: the tests hold
// them equal. Layers have tanh between them; a network reads a few numbers and answers with one.

/** Layers from all parameters in turn, each a weight matrix row by row and then its bias; `sizes` are their widths. */
export function layersOf(parameters, sizes) {
  let at = 0;
  const take = (count) => {
    at += count;
    return Float64Array.from(parameters.slice(at - count, at));
  };
  return sizes.slice(1).map((width, i) => ({ weight: take(width * sizes[i]), bias: take(width) }));
}

/** What the network answers to each input. */
export const predict = (layers, inputs) => inputs.map((input) => forward(layers, input).at(-1)[0]);

/** The input, and what each layer makes of it. */
function forward(layers, input) {
  const seen = [Float64Array.from(input)]; // all of one kind: an engine runs such loops ten times as fast
  layers.forEach((layer, i) => {
    const sums = weighted(layer, seen[i]);
    seen.push(i < layers.length - 1 ? sums.map(Math.tanh) : sums);
  });
  return seen;
}

function weighted({ weight, bias }, x) {
  const sums = Float64Array.from(bias);
  for (let i = 0, at = 0; i < sums.length; i++) {
    let sum = sums[i];
    for (let j = 0; j < x.length; j++) sum += weight[at++] * x[j];
    sums[i] = sum;
  }
  return sums;
}

/** Gradients of the mean squared error over all inputs, one array for each array of parameters. */
export function lossGradients(layers, inputs, targets) {
  const gradients = layers.map(({ weight, bias }) => ({
    weight: new Float64Array(weight.length),
    bias: new Float64Array(bias.length),
  }));
  inputs.forEach((input, n) => {
    const seen = forward(layers, input);
    let slopes = Float64Array.of((2 * (seen.at(-1)[0] - targets[n])) / inputs.length);
    for (let i = layers.length - 1; i >= 0; i--) {
      collect(gradients[i], slopes, seen[i]);
      if (i > 0) slopes = passedDown(layers[i].weight, slopes, seen[i]);
    }
  });
  return gradients.flatMap(({ weight, bias }) => [weight, bias]);
}

function collect({ weight, bias }, slopes, x) {
  for (let i = 0, at = 0; i < slopes.length; i++) {
    const slope = slopes[i];
    bias[i] += slope;
    for (let j = 0; j < x.length; j++) weight[at++] += slope * x[j];
  }
}

/** Slopes by the sums of the layer before: `x` is what its tanh made of them. */
function passedDown(weight, slopes, x) {
  const down = new Float64Array(x.length);
  for (let i = 0, at = 0; i < slopes.length; i++) {
    const slope = slopes[i];
    for (let j = 0; j < x.length; j++) down[j] += slope * weight[at++];
  }
  for (let j = 0; j < x.length; j++) down[j] *= 1 - x[j] * x[j];
  return down;
}

/** Adam for these layers: call it with the gradients of each step. */
export function adam(layers, rate, [beta1, beta2] = [0.9, 0.999], tiny = 1e-8) {
  const parameters = layers.flatMap(({ weight, bias }) => [weight, bias]);
  const [first, second] = [0, 1].map(() => parameters.map((array) => new Float64Array(array.length)));
  let time = 0;
  return (gradients) => {
    time += 1;
    const step = rate / (1 - beta1 ** time);
    const size = Math.sqrt(1 - beta2 ** time);
    gradients.forEach((gradient, i) => {
      gradient.forEach((g, j) => {
        first[i][j] = beta1 * first[i][j] + (1 - beta1) * g;
        second[i][j] = beta2 * second[i][j] + (1 - beta2) * g * g;
        parameters[i][j] -= (step * first[i][j]) / (Math.sqrt(second[i][j]) / size + tiny);
      });
    });
  };
}
