// Who knows what comes next: the kernel of a notebook, or, on a page without one, the bundled model in JavaScript.
import { kernelOf } from "../parts/kernel.js";
import { unpacked } from "../parts/unpacked.js";
import { readable, tokenizer } from "../twins/bpe.js";
import { forget, languageModel } from "../twins/gpt2.js";
import { nextToken } from "../twins/next_token.js";
import { normaliser } from "../twins/softmax.js";

const NAME = "tiny-gpt2";
export const SIZE = "2.5 MB"; // as it travels, compressed

/** `begin(text)` gives its tokens and the row of what may come next, `after(ids)` that row alone, and
 *  `draw(ids, temperature, topK)` a token and the row after it: all of them promises. */
export const mind = (model) => (model.page ? ofPage(model.page) : ofKernel(model));

function ofKernel(model) {
  const { ask, off } = kernelOf(model);
  return {
    asleep: () => false,
    off,
    begin: (text) => ask({ text }),
    after: (ids) => ask({ ids }),
    draw: (ids, temperature, top_k) => ask({ ids, draw: { temperature, top_k } }),
  };
}

function ofPage(page) {
  let awake = null;
  async function wake() {
    const file = await page.asset(NAME).catch(() => {
      throw new Error("The model could not be loaded. Try again, or check that the page is complete.");
    });
    awake ??= reader(file);
    return awake;
  }
  const asking =
    (answer) =>
    async (...args) =>
      answer(await wake(), ...args);
  return {
    asleep: () => awake === null,
    off() {},
    begin: asking((model, text) => model.begin(text)),
    after: asking((model, ids) => ({ row: model.row(ids) })),
    draw: asking((model, ...args) => model.draw(...args)),
  };
}

/** The bundled model: what it has read is remembered, so that one more token costs one more step. */
export function reader(file, random = Math.random) {
  const arrays = unpacked(file);
  const model = languageModel(file.shape, arrays);
  const { encode, bytes } = tokenizer(arrays.merges);
  const piece = (id) => readable(bytes(id));
  const { keep, draw } = nextToken(arrays.rows, piece);
  const memory = model.memory();
  let [known, scores] = [[], null];
  function read(ids) {
    let same = 0;
    while (same < known.length && known[same] === ids[same]) same += 1;
    if (same === ids.length && same < known.length) same -= 1; // the last one gives the scores
    forget(memory, same);
    for (const id of ids.slice(same)) scores = model.read(memory, arrays.rows[id]);
    known = ids;
    return scores;
  }
  const row = (ids) => keep(read(ids));
  const begin = (text) => {
    const ids = encode(text);
    if (ids.length > 0 && ids.length < model.context)
      return { tokens: ids.map((id) => ({ id, piece: piece(id), logprob: null })), row: row(ids) };
    throw new Error(`A beginning must have 1 to ${model.context - 1} tokens: this one has ${ids.length}.`);
  };
  function drawn(ids, temperature, topK) {
    const now = read(ids);
    const [id, kept] = [draw(now, temperature, topK, random), keep(now)];
    const most = now.reduce((a, b) => Math.max(a, b));
    const logprob = (now[arrays.rows[id]] - most) / temperature - normaliser(kept, temperature, topK);
    return { token: { id, piece: piece(id), logprob: Math.min(logprob, 0) }, row: row([...ids, id]) };
  }
  return { begin, row, draw: drawn, read };
}
