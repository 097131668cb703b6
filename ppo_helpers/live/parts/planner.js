// The values of the world that a figure holds in its traits, sweep by sweep.
import { parseWorld } from "../twins/gridworld.js";
import { greedyPolicy, valueIteration } from "../twins/planning.js";

/** All sweeps over the world of the traits `text`, `move_cost`, `rewards` and `gamma`, and the one that `sweep` shows,
 *  −1 for the last. Call `update` when one of the first four has changed. */
export function planner(state) {
  let before; // the sweep that was shown before this one
  let stepped = false;
  const plan = {
    update() {
      plan.gamma = state.get("gamma");
      plan.world = parseWorld(state.get("text"), state.get("move_cost"), state.get("rewards"));
      plan.result = valueIteration(plan.world, plan.gamma);
      before = plan.sweep();
      stepped = false;
    },
    last: () => plan.result.sweeps,
    sweep: () => (state.get("sweep") < 0 ? plan.last() : Math.min(state.get("sweep"), plan.last())),
    settled: () => plan.sweep() === plan.last(),
    values: () => plan.result.history[plan.sweep()],
    policy: () => greedyPolicy(plan.world, plan.values(), plan.gamma),
    /** True for a state that the sweep shown has changed; at the end only if the reader has stepped there. */
    fresh(s) {
      const k = plan.sweep();
      return k > 0 && (stepped || !plan.settled()) && plan.values()[s] !== plan.result.history[k - 1][s];
    },
  };
  state.watch(["sweep"], () => {
    stepped = plan.sweep() === before + 1;
    before = plan.sweep();
  });
  plan.update();
  return plan;
}
