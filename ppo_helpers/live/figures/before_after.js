// Chapter 11: one prompt, the same dice, three policies.
import { button, choice, ownText, slider, stage, statusLine } from "../parts/controls.js";
import { html, say, show } from "../parts/dom.js";
import { rewardKey } from "../parts/earnings.js";
import { traits } from "../parts/traits.js";
import { SIZE, troupe } from "./before_after_mind.js";
import { answerCard, worthOf } from "./before_after_picture.js";

const HINT = "Roll the dice: three policies answer the same prompt with the same dice. Then turn the price.";
const OWN = "own";

function render({ model, el }) {
  const state = traits(model);
  const writers = troupe(model);
  const cards = state.get("names").map(answerCard);
  const prompt = html("p", { class: "live-note" });
  const status = statusLine(5);
  const asking = asker(state, writers, draw);
  const controls = dials(state, asking);
  function draw() {
    const [texts, beta] = ["texts", "beta"].map(state.get);
    const worths = texts.map((text) => worthOf(text, beta));
    const best = worths.indexOf(Math.max(...worths));
    prompt.textContent = `${state.get("prompt")} …`;
    cards.forEach((card, i) => {
      card.put(texts[i], beta, i === best);
    });
    controls.put(asking.now());
    say(status, words(state, asking.now(), worths, best));
  }
  const side = [...controls.nodes, status, rewardKey()];
  el.append(stage(state, { hint: HINT, picture: [prompt, ...cards.map(({ node }) => node)], side }));
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
  return { ask, reset, now: () => ({ busy, problem, asleep: writers.asleep() }) };
}

function dials(state, { ask, reset }) {
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
    if (known >= 0) pick.pick.value = known;
    for (const control of [roll, own.start]) control.disabled = busy;
  }
  return {
    nodes: [pick.node, own.node, html("div", { class: "live-buttons" }, roll, button("Reset", reset)), price.node],
    put,
  };
}

function words(state, { busy, problem, asleep }, worths, best) {
  if (problem) return problem;
  if (busy && asleep) return `Waking the models: ${SIZE}, once …`;
  const [names, beta] = ["names", "beta"].map(state.get);
  const price = beta ? `At a price of ${show(beta, 2)} a nat` : "Without a price";
  const said = `${price} “${names[best]}” has written the text that is worth most: ${show(worths[best], 2)}.`;
  return asleep ? `${said} The first roll wakes the models (${SIZE}).` : said;
}

export default { render };
