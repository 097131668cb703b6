// PPO itself, as ppo_helpers.ppo and ppo_helpers.objectives have it: the tests hold them equal. The numbers of a
// configuration have Python's names, so they travel as they are.
import { gradientNorm, shortening } from "./adam.js";
import { backward, forward } from "./network.js";
import { clip, clippedSurrogate, isFlat } from "./surrogate.js";

const LARGEST = 20; // log-ratios above this are cut

/** Several epochs of clipped steps on one batch, all against the same π_old. `nets` are { policy, value, book, step },
 *  `order` shuffles. Returns what was measured before each step. */
export function ppoUpdate(nets, batch, config, order) {
  const whitened = config.whiten_advantages ? whiten(batch.advantages) : batch.advantages;
  const measured = [];
  for (let epoch = 0; epoch < config.epochs; epoch++) {
    for (const chosen of minibatches(order(whitened.length), config.minibatch_size)) {
      const means = lossGradients(nets, { ...batch, advantages: whitened }, chosen, config);
      measured.push({ epoch, count: chosen.length, ...means });
      if (config.target_kl !== null && measured.at(-1).kl > config.target_kl) return measured;
      const norm = gradientNorm([nets.policy, nets.value]);
      nets.step(config.learning_rate, shortening(norm, config.max_grad_norm));
    }
  }
  return measured;
}

/** What an update has measured, of its steps together: KL and clip fraction of the last epoch, the rest of all. */
export function statsOf(measured) {
  const last = measured.filter(({ epoch }) => epoch === measured.at(-1).epoch);
  const count = (rows) => rows.reduce((sum, row) => sum + row.count, 0);
  const mean = (rows, name) => rows.reduce((sum, row) => sum + row.count * row[name], 0) / count(rows);
  const [kl, clipFraction] = ["kl", "clipFraction"].map((name) => mean(last, name));
  const [policyLoss, valueLoss, entropy] = ["policyLoss", "valueLoss", "entropy"].map((name) => mean(measured, name));
  return { policyLoss, valueLoss, entropy, kl, clipFraction };
}

/** Parts of equal size, the first ones a row longer where that does not go out. */
export function minibatches(order, size) {
  const parts = Math.ceil(order.length / size);
  const cut = (k) => Math.floor(order.length / parts) * k + Math.min(k, order.length % parts);
  return Array.from({ length: parts }, (_, k) => order.subarray(cut(k), cut(k + 1)));
}

/** Mean 0 and standard deviation 1; all are 0 if they differ by rounding only. */
export function whiten(x) {
  const mean = (numbers) => numbers.reduce((sum, v) => sum + v, 0) / numbers.length;
  const centre = (numbers, middle = mean(numbers)) => numbers.map((v) => v - middle);
  const centred = centre(centre(x)); // the mean is rounded: of equal numbers the first pass leaves a last digit
  const [spread, size] = [centred, x].map((numbers) => Math.sqrt(mean(numbers.map((v) => v * v))));
  return centred.map((v) => (spread > 2 * Number.EPSILON * size ? v / Math.max(spread, 1e-8) : 0));
}

/** log π of all moves in every row of the book, −∞ where a move is blocked, from what a policy network says. */
export function logSoftmax(logits, { open, rows, moves }) {
  const logprobs = new Float64Array(logits.length);
  for (let at = 0; at < moves * rows; at += moves) {
    let [most, sum] = [-Infinity, 0];
    for (let a = at; a < at + moves; a++) if (open[a] && logits[a] > most) most = logits[a];
    for (let a = at; a < at + moves; a++) if (open[a]) sum += Math.exp(logits[a] - most);
    for (let a = at; a < at + moves; a++) logprobs[a] = open[a] ? logits[a] - most - Math.log(sum) : -Infinity;
  }
  return logprobs;
}

/** What both networks say of every row of the book, and what their layers saw. */
export function evaluate({ policy, value, book }) {
  const [ofPolicy, ofValue] = [policy, value].map((network) => forward(network, book.inputs));
  const logprobs = logSoftmax(ofPolicy.at(-1), book);
  return { ofPolicy, ofValue, logprobs, values: ofValue.at(-1), moves: book.moves };
}

/** Puts the gradient of the loss of the chosen steps into the networks, and returns what is worth knowing, as means. */
export function lossGradients(nets, batch, chosen, config) {
  const seen = evaluate(nets);
  const slopes = { logits: new Float64Array(seen.logprobs.length), values: new Float64Array(seen.values.length) };
  const sums = { policyLoss: 0, valueLoss: 0, entropy: 0, kl: 0, clipFraction: 0 };
  const steps = new Float64Array(nets.book.rows); // of each row: steps made from it, and their slopes by log π
  const pushes = new Float64Array(nets.book.rows);
  for (const n of chosen) {
    const row = batch.rows[n];
    steps[row] += 1;
    pushes[row] += policyTerm(batch, n, seen, slopes, sums, config);
    slopes.values[row] += config.vf_coef * valueTerm(batch, n, seen, sums, config);
  }
  steps.forEach((count, row) => {
    if (count) stateTerm(row, count, pushes[row], seen, slopes, sums, config);
  });
  for (const numbers of Object.values(slopes)) for (let i = 0; i < numbers.length; i++) numbers[i] /= chosen.length;
  backward(nets.policy, seen.ofPolicy, slopes.logits);
  backward(nets.value, seen.ofValue, slopes.values);
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / chosen.length]));
}

/** One step's part in the policy's loss; returns its slope by log π: 0 where the clip has taken it away. */
function policyTerm(
  { rows, actions, oldLogprobs, advantages },
  n,
  { logprobs, moves },
  slopes,
  sums,
  { clip_eps: eps },
) {
  const at = moves * rows[n] + actions[n];
  const advantage = advantages[n];
  const logRatio = Math.min(logprobs[at] - oldLogprobs[n], LARGEST);
  const ratio = Math.exp(logRatio);
  const slope = eps !== null && isFlat(ratio, advantage, eps) ? 0 : -ratio * advantage;
  slopes.logits[at] += slope;
  sums.policyLoss -= eps === null ? ratio * advantage : clippedSurrogate(ratio, advantage, eps);
  sums.kl += Math.expm1(logRatio) - logRatio;
  sums.clipFraction += ratio !== clip(ratio, eps ?? 0.2) ? 1 : 0;
  return slope;
}

/** One step's part in the critic's loss; returns its slope by V. */
function valueTerm({ rows, returns, oldValues }, n, { values }, sums, { value_clip_eps: eps }) {
  const value = values[rows[n]];
  const old = oldValues[n];
  const free = eps === null || Math.abs(value - old) <= eps;
  const error = value - returns[n];
  const near = free ? error : old + eps * Math.sign(value - old) - returns[n];
  sums.valueLoss += Math.max(error * error, near * near);
  return near * near > error * error ? 0 : 2 * error;
}

/** What all steps from a state share: the softmax pushes the other moves down, the entropy bonus evens them out. */
function stateTerm(row, steps, push, { logprobs, moves }, slopes, sums, { ent_coef: bonus }) {
  let entropy = 0;
  for (let a = moves * row; a < moves * (row + 1); a++) {
    const p = Math.exp(logprobs[a]);
    if (p > 0) entropy -= p * logprobs[a];
  }
  sums.entropy += steps * entropy;
  for (let a = moves * row; a < moves * (row + 1); a++) {
    const p = Math.exp(logprobs[a]);
    if (p > 0) slopes.logits[a] += bonus * steps * p * (logprobs[a] + entropy) - push * p;
  }
}
