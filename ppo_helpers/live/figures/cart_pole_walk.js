// One walk of a policy that was kept: every state, and what both networks say of it.
import { hasFallen, LONGEST, pushed, seenOf, setUp } from "../twins/cartpole.js";
import { drawn } from "../twins/collector.js";
import { dice } from "../twins/dice.js";
import { networkOf } from "../twins/network.js";
import { pageOf } from "../twins/poles.js";
import { evaluate } from "../twins/ppo.js";
import { generator } from "../twins/walks.js";

/** { states, right, values, fell }: `right` is the probability of a push to the right. `turn` tells walks apart. */
export function walkOf(frame, { hidden }, seed, turn = 0) {
  const chance = dice(generator(104729 * seed + 31 * turn + 7));
  const nets = netsOf(frame, hidden);
  const walk = { states: [setUp(chance)], right: [], values: [], fell: false };
  while (!walk.fell && walk.right.length < LONGEST) {
    const state = walk.states.at(-1);
    const { logprobs, values } = evaluate({ ...nets, book: pageOf([seenOf(state)]) });
    walk.right.push(Math.exp(logprobs[1]));
    walk.values.push(values[0]);
    walk.states.push(pushed(state, drawn(logprobs, 0, 2, chance)));
    walk.fell = hasFallen(walk.states.at(-1));
  }
  return walk;
}

function netsOf(frame, hidden) {
  const [policy, value] = [2, 1].map((outputs) => networkOf([4, ...hidden, outputs]));
  policy.parameters.set(frame.policy);
  value.parameters.set(frame.value);
  return { policy, value };
}
