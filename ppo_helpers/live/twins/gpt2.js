// GPT-2's forward pass, a token at a time. What a layer's attention has asked of earlier tokens, their keys and
// values, is kept in a memory, so that a token costs the same wherever it stands.
import { addTo, gelu, layerNorm, linear } from "./layers.js";

/** From the weights by their names, matrices as (out, in): `memory()` of a text that has not begun, and `read`. */
export function languageModel({ heads, layers }, weights) {
  const at = (name) => [weights[`${name}.weight`], weights[`${name}.bias`]];
  const blocks = Array.from({ length: layers }, (_, layer) => {
    const [ln1, ask, give, ln2, widen, narrow] = "ln_1 attn.c_attn attn.c_proj ln_2 mlp.c_fc mlp.c_proj"
      .split(" ")
      .map((part) => at(`h.${layer}.${part}`));
    return (x, memory) => {
      addTo(x, linear(attention(linear(layerNorm(x, ...ln1), ...ask), memory, heads), ...give));
      addTo(x, linear(linear(layerNorm(x, ...ln2), ...widen).map(gelu), ...narrow));
    };
  });
  const [tokens, places, last] = [weights["wte.weight"], weights["wpe.weight"], at("ln_f")];
  const width = last[0].length;
  const row = (table, i) => table.subarray(i * width, (i + 1) * width);

  /** Reads one more token: what the last layer says of the text so far. */
  function hidden(memory, i) {
    const x = row(tokens, i).slice();
    addTo(x, row(places, memory.length));
    for (const [layer, block] of blocks.entries()) block(x, memory.layers[layer]);
    memory.length += 1;
    return layerNorm(x, ...last);
  }
  /** The same, as the score of every row of the embedding: of what may come next. */
  const read = (memory, i) => linear(hidden(memory, i), tokens);
  return { read, hidden, memory: () => emptyMemory(layers), context: places.length / width };
}

const emptyMemory = (layers) => ({
  length: 0,
  layers: Array.from({ length: layers }, () => ({ keys: [], values: [] })),
});

/** The memory of the first `length` tokens alone: forgets what was read after them. */
export function forget(memory, length) {
  memory.length = length;
  for (const { keys, values } of memory.layers) {
    keys.length = length;
    values.length = length;
  }
}

/** What a token takes from those before it and from itself; `asked` is its query, key and value, one after another. */
function attention(asked, { keys, values }, heads) {
  const width = asked.length / 3;
  keys.push(asked.subarray(width, 2 * width));
  values.push(asked.subarray(2 * width));
  const [taken, size] = [new Float32Array(width), width / heads];
  for (let from = 0; from < width; from += size) {
    const scores = keys.map((key) => dot(asked, key, from, size) / Math.sqrt(size));
    const most = Math.max(...scores);
    const shares = scores.map((score) => Math.exp(score - most));
    const total = shares.reduce((a, b) => a + b, 0);
    values.forEach((value, t) => {
      for (let i = from; i < from + size; i++) taken[i] += (shares[t] / total) * value[i];
    });
  }
  return taken;
}

function dot(a, b, from, size) {
  let sum = 0;
  for (let i = from; i < from + size; i++) sum += a[i] * b[i];
  return sum;
}
