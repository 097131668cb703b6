// The policies and who judges them: those of the kernel, or on the page the bundled model and what a chapter has made
// of it.
import { kernelOf } from "../parts/kernel.js";
import { unpacked } from "../parts/unpacked.js";
import { readable, tokenizer } from "../twins/bpe.js";
import { languageModel } from "../twins/gpt2.js";
import { nextToken } from "../twins/next_token.js";
import { KEPT } from "../twins/softmax.js";
import { generator } from "../twins/walks.js";
import { counting, rated } from "./before_after_casts.js";

const START = "tiny-gpt2";
// of each cast: what its training has added, the size of both files as they travel, the tokens of a response
const RATED = { trained: "tiny-gpt2-trained", size: "4.9 MB", tokens: 16, cast: rated };
const COUNTING = { trained: "tiny-gpt2-counting", size: "3.1 MB", tokens: 12, cast: counting };

/** Whom a page wakes: with words to count chapter 9's policies, else chapter 11's. */
const playersOf = (counts) => (Object.keys(counts).length ? COUNTING : RATED);

/** `answer(prompt, seed)` promises a response of each policy. */
export function troupe(model) {
  const players = playersOf(model.get("counts"));
  if (!model.page) {
    const { ask, off } = kernelOf(model);
    return { asleep: () => false, off, answer: async (prompt, seed) => (await ask({ prompt, seed })).texts };
  }
  let awake = null;
  async function answer(prompt, seed) {
    const files = await Promise.all([START, players.trained].map(model.page.asset)).catch(() => {
      throw new Error("The models could not be loaded. Try again, or check that the page is complete.");
    });
    awake ??= company(...files, model.get("counts"));
    return awake(prompt, seed);
  }
  return { asleep: () => awake === null, size: players.size, off() {}, answer };
}

/** From both files: what the policies answer. */
export function company(file, trained, counts) {
  const { rows, merges, ...start } = unpacked(file);
  const { cast, tokens } = playersOf(counts);
  const { encode, bytes, end } = tokenizer(merges);
  const made = (weights) => languageModel(file.shape, weights);
  const pieceOf = (id) => readable(bytes(id));
  const spoken = (ids) => ids.filter((id) => id !== end).map(pieceOf);
  const { policies, judge } = cast({ start, changes: unpacked(trained), made, rows, spoken, counts });
  const { write, logprobsOf } = scribe(rows, end, tokens);
  const [reference] = policies;
  function respond(policy, prompt, seed) {
    const { ids, logprobs } = write(policy, prompt, generator(7919 * seed + 1));
    const before = policy === reference ? logprobs : logprobsOf(reference, prompt, ids);
    const kl = logprobs.map((own, t) => own - before[t]);
    return { pieces: ids.map(pieceOf), kl, ...judge(prompt, ids) };
  }
  return (text, seed) => {
    const prompt = encode(text);
    const room = reference.context - tokens;
    if (!prompt.length || prompt.length > room)
      throw new Error(`A prompt must have 1 to ${room} tokens: this one has ${prompt.length}.`);
    return policies.map((policy) => respond(policy, prompt, seed));
  };
}

/** Writes up to so many tokens, and scores what others have written. */
function scribe(rows, end, tokens) {
  const { draw, logprob } = nextToken(rows, () => "");
  function write(policy, prompt, random) {
    const [memory, ids, logprobs] = [policy.memory(), [], []];
    let scores = prompt.map((id) => policy.read(memory, rows[id])).at(-1);
    while (ids.length < tokens && ids.at(-1) !== end) {
      ids.push(draw(scores, 1, KEPT + 1, random));
      logprobs.push(logprob(scores, ids.at(-1)));
      scores = policy.read(memory, rows[ids.at(-1)]);
    }
    return { ids, logprobs };
  }
  /** log π of each of `ids`, after a prompt. */
  function logprobsOf(model, prompt, ids) {
    const memory = model.memory();
    const scores = [...prompt, ...ids.slice(0, -1)].map((id) => model.read(memory, rows[id]));
    return ids.map((id, t) => logprob(scores[prompt.length - 1 + t], id));
  }
  return { write, logprobsOf };
}
