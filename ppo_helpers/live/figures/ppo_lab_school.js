// Both trainings of the lab: they start anew when a dial is turned, and go on in short slices.
import { inSlices } from "../parts/slices.js";
import { parseWorld } from "../twins/gridworld.js";
import { judgeOf, lesson, recordOf } from "./ppo_lab_runs.js";

/** What the lab shows: the world, its judge, both settings, the seed, and a record of each training. */
export function sceneOf(state) {
  const [room, first, sides, seed] = ["room", "first", "sides", "seed"].map(state.get);
  return { ...placeOf(state, state.get("text")), room, first, sides, seed, runs: [null, null], chosen: null };
}

/** The world of a text, and its judge. */
export function placeOf(state, text) {
  const world = parseWorld(text, state.get("move_cost"), state.get("rewards"));
  const scale = Math.max(...world.reward.map((r) => Math.abs(r ?? 0))) / 5 || 1; // values are coloured by it
  return { text, world, judge: { ...judgeOf(world, state.get("room").max_steps), scale } };
}

/** Keeps the trainings of a scene in step with the traits; `draw` is called as they go on. */
export function schoolOf(state, scene, draw) {
  let work = null;
  let known = ["", ""]; // which trainings the records are of
  const school = {
    /** How many iterations both have done. */
    done: () => Math.min(...scene.runs.map((run) => (run ? run.frames.length - 1 : 0))),
    stop: () => work?.stop(),
    /** Starts what has to be trained; a side of which nothing has changed stays as it is. */
    follow() {
      [scene.sides, scene.seed] = [state.get("sides"), state.get("seed")];
      if (state.get("text") !== scene.text) {
        Object.assign(scene, placeOf(state, state.get("text")), { chosen: null });
        known = ["", ""];
      }
      const keys = scene.sides.map((config) => JSON.stringify([config, scene.seed]));
      const behind = [0, 1].filter((i) => keys[i] !== known[i] || !isOver(scene, i));
      known = keys;
      school.stop();
      const lessons = behind.map((i) => begin(scene, i));
      work = inSlices(inTurn(lessons), paced(draw));
    },
    /** A promise that all is trained. */
    over: () => work.over,
  };
  return school;
}

/** Draws at the end, and ten times a second until then: one picture takes as long as many iterations. */
function paced(draw) {
  let last = Date.now();
  return (over) => {
    if (!over && Date.now() - last < 100) return;
    draw();
    last = Date.now();
  };
}

const isOver = ({ runs, sides }, i) => runs[i]?.frames.length > sides[i].iterations;

/** A new training of side i; its record has its first frame already. */
function begin(scene, i) {
  scene.runs[i] = recordOf(scene, true);
  const steps = lesson(scene, scene.sides[i], scene.seed);
  scene.runs[i].add(steps.next().value);
  return { steps, record: scene.runs[i] };
}

/** One iteration of each, as long as one of them goes on. */
function* inTurn(lessons) {
  for (let on = lessons; on.length; ) {
    on = on.filter(({ steps, record }) => {
      const { value, done } = steps.next();
      if (!done) record.add(value);
      return !done;
    });
    yield;
  }
}
