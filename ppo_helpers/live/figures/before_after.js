// Chapters 9 and 11: one prompt, the same dice, and policies before and after training.
import { button, choice, ownText, slider, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { rewardKey } from "../parts/earnings.js";
import { traits } from "../parts/traits.js";
import { troupe } from "./before_after_mind.js";
import { answerCard, worthOf } from "./before_after_picture.js";
import { hint, sentence } from "./before_after_words.js";

const OWN = "own";

function render({ model, el }) {
  const state = traits(model);
  const writers = troupe(model);
  const priced = !Object.keys(state.get("counts")).length; // a reader who counts words knows no price of KL
  const cards = state.get("names").map((name) => answerCard(name, priced));
  const prompt = html("p", { class: "live-note" });
  const status = statusLine(5);
  const asking = asker(state, writers, draw);
  const controls = dials(state, asking, priced);
  function draw() {
    const texts = state.get("texts");
    const beta = priced ? state.get("beta") : 0;
    const worths = texts.map((text) => worthOf(text, beta));
    const worth = Math.max(...worths);
    const wins = worths.map((v) => v > worth - 1e-9);
    const best = state.get("names").filter((_, i) => wins[i]);
    prompt.textContent = `${state.get("prompt")} …`;
    cards.forEach((card, i) => {
      card.put(texts[i], beta, wins[i]);
    });
    controls.put(asking.now());
    say(status, sentence({ priced, beta, best, worth, ...asking.now() }));
  }
  const side = [...controls.nodes, status, rewardKey()];
  el.append(stage(state, { hint: hint(priced), picture: [prompt, ...cards.map(({ node }) => node)], side }));
  draw();
  state.watch(["texts", "beta", "prompt"], draw);
  return () => {
    writers.off();
    state.off();
  };
}

/** Asks the policies, one question at a time; of those that come meanwhile the last one is asked next. */
function asker(state, writers, draw) {
  let [busy, next, wanted, problem] = [false, null, null, null];
  async function ask(prompt, seed) {
    next = { prompt, seed };
    if (busy) return;
    [busy, problem] = [true, null];
    draw();
    while (next) await answered();
    busy = false;
    draw();
  }
  async function answered() {
    const question = next;
    next = null;
    wanted = question;
    try {
      const texts = await writers.answer(question.prompt, question.seed);
      if (wanted === question) state.set({ ...question, texts });
    } catch (error) {
      problem = error.message;
    }
  }
  const reset = () => {
    [next, wanted, problem] = [null, null, null]; // what is on its way comes too late
    state.set(state.get("first"));
    draw();
  };
  return { ask, reset, now: () => ({ busy, problem, asleep: writers.asleep(), size: writers.size }) };
}

function dials(state, { ask, reset }, priced) {
  const options = state.get("prompts").map((prompt, i) => [i, prompt]);
  const pick = choice("prompt", [...options, [OWN, "a prompt of your own"]], (i) => {
    own.node.hidden = i !== OWN;
    if (i === OWN) own.input.focus();
    else ask(state.get("prompts")[i], state.get("seed"));
  });
  const own = ownText("own prompt", (prompt) => ask(prompt, state.get("seed")));
  own.node.hidden = true;
  const roll = button("Roll dice", () => ask(state.get("prompt"), state.get("seed") + 1));
  const price = slider(state, "beta", {
    label: "price of KL β",
    min: 0,
    max: 0.4,
    step: 0.02,
    words: (v) => show(v, 2),
  });
  function put({ busy }) {
    const known = state.get("prompts").indexOf(state.get("prompt"));
    if (known < 0) own.node.hidden = false;
    if (!busy) pick.pick.value = own.node.hidden ? known : OWN; // until it is answered, what was chosen stands there
    for (const control of [roll, own.start]) control.disabled = busy;
  }
  const home = button("Reset", () => {
    own.node.hidden = true;
    reset();
  });
  const buttons = html("div", { class: "live-buttons" }, roll, home);
  return { nodes: [pick.node, own.node, buttons, ...(priced ? [price.node] : [])], put };
}

export default { render };
