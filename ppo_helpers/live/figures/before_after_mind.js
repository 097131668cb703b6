// Three policies and a reward model: those of the kernel, or on the page the bundled model and what chapter 11 has
// made of it.
import { kernelOf } from "../parts/kernel.js";
import { changed, unpacked } from "../parts/unpacked.js";
import { readable, tokenizer } from "../twins/bpe.js";
import { languageModel } from "../twins/gpt2.js";
import { nextToken } from "../twins/next_token.js";
import { KEPT } from "../twins/softmax.js";
import { generator } from "../twins/walks.js";

const FILES = ["tiny-gpt2", "tiny-gpt2-trained"];
export const SIZE = "4.9 MB"; // of both, as they travel, compressed
const TOKENS = 16; // of a response, as in the chapter

/** `answer(prompt, seed)` promises three responses. */
export function troupe(model) {
  if (!model.page) {
    const { ask, off } = kernelOf(model);
    return { asleep: () => false, off, answer: async (prompt, seed) => (await ask({ prompt, seed })).texts };
  }
  let awake = null;
  async function answer(prompt, seed) {
    const files = await Promise.all(FILES.map(model.page.asset)).catch(() => {
      throw new Error("The models could not be loaded. Try again, or look whether the page is whole.");
    });
    awake ??= company(...files);
    return awake(prompt, seed);
  }
  return { asleep: () => awake === null, off() {}, answer };
}

/** From both files: what the three policies answer. */
export function company(file, trained) {
  const { rows, merges, ...start } = unpacked(file);
  const changes = unpacked(trained);
  const sft = changed(start, changes, "sft");
  const made = (weights) => languageModel(file.shape, weights);
  const reference = made(sft);
  const policies = [reference, ...["rlhf", "hacked"].map((name) => made(changed(sft, changes, name)))];
  const judge = made(changed(sft, changes, "reward"));
  const { encode, bytes, end } = tokenizer(merges);
  const { draw, logprob } = nextToken(rows, () => "");

  /** log π of each of `ids`, after a prompt. */
  function logprobsOf(model, prompt, ids) {
    const memory = model.memory();
    const scores = [...prompt, ...ids.slice(0, -1)].map((id) => model.read(memory, rows[id]));
    return ids.map((id, t) => logprob(scores[prompt.length - 1 + t], id));
  }
  function write(policy, prompt, random) {
    const [memory, ids, logprobs] = [policy.memory(), [], []];
    let scores = prompt.map((id) => policy.read(memory, rows[id])).at(-1);
    while (ids.length < TOKENS && ids.at(-1) !== end) {
      ids.push(draw(scores, 1, KEPT + 1, random));
      logprobs.push(logprob(scores, ids.at(-1)));
      scores = policy.read(memory, rows[ids.at(-1)]);
    }
    return { ids, logprobs };
  }
  function reward(ids) {
    const memory = judge.memory();
    const last = ids.map((id) => judge.hidden(memory, rows[id])).at(-1);
    const head = changes["reward/head"];
    return last.reduce((total, v, i) => total + v * head[i], head[last.length]);
  }
  function respond(policy, prompt, seed) {
    const { ids, logprobs } = write(policy, prompt, generator(7919 * seed + 1));
    const before = policy === reference ? logprobs : logprobsOf(reference, prompt, ids);
    const kl = logprobs.map((own, t) => own - before[t]);
    return { pieces: ids.map((id) => readable(bytes(id))), kl, score: reward([...prompt, ...ids]) };
  }
  return (text, seed) => {
    const prompt = encode(text);
    const room = reference.context - TOKENS;
    if (!prompt.length || prompt.length > room)
      throw new Error(`A prompt must have 1 to ${room} tokens: this one has ${prompt.length}.`);
    return policies.map((policy) => respond(policy, prompt, seed));
  };
}
