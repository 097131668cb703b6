// The training of the pole: it starts anew when a dial is turned, and goes on in short slices once somebody asks.
import { inSlices } from "../parts/slices.js";
import { diceOf, iterate, poleTrainingOf } from "../twins/training.js";

const RECENT = 100; // a mean is taken over the last hundred walks that ended
export const SOLVED = 475; // of 500 pushes, as mean of that many walks

/** A training from its first weights until the pole stands or its iterations are over; gives what `frameOf` says. */
export function* lesson(config, walkers, seed) {
  const training = poleTrainingOf(config, { walkers }, diceOf(seed));
  let frame = frameOf(training, 0);
  yield frame;
  while (training.done < config.iterations && !frame.solved) {
    const { batch } = iterate(training);
    frame = frameOf(training, frame.steps + batch.rows.length);
    yield frame;
  }
}

/** The networks as they are, and how the last walks went: `mean` is null before one has ended. */
function frameOf({ nets: { policy, value }, crowd: { lengths } }, steps) {
  const last = lengths.slice(-RECENT);
  const mean = last.length ? last.reduce((sum, n) => sum + n, 0) / last.length : null;
  return { policy: policy.parameters.slice(), value: value.parameters.slice(), steps, mean, solved: mean >= SOLVED };
}

/** Keeps the record of a training in step with the traits; `grown` is called as it goes on, and told whether it is
 *  over. */
export function schoolOf(state, grown) {
  let [record, before, work] = [begun(state), null, null];
  const stop = () => {
    work?.stop();
    work = null;
  };
  return {
    record: () => record,
    /** The training before this one, to compare. */
    before: () => before,
    done: () => record.frames.length - 1,
    /** Is it on its way to the iteration that is asked for? */
    learns: () => !record.over && state.get("frame") > record.frames.length - 1,
    /** The last iteration, as far as one can know. */
    last: () => (record.over ? record.frames.length - 1 : record.config.iterations),
    stop,
    /** What has been turned makes it begin again; it goes on once somebody wants to see more than there is. */
    follow() {
      if (keyOf(state) !== record.key) {
        stop();
        if (record.frames.length > 1) before = record;
        record = begun(state);
      }
      if (!work && state.get("frame") > record.frames.length - 1) work = inSlices(record.steps, grown);
    },
  };
}

const keyOf = (state) => JSON.stringify(["config", "seed"].map(state.get));

/** The record of a new training; its first frame is there. */
function begun(state) {
  const [config, seed] = ["config", "seed"].map(state.get);
  const record = { key: keyOf(state), config, seed, frames: [], over: false };
  record.steps = recorded(lesson(config, state.get("walkers"), seed), record);
  record.steps.next();
  return record;
}

function* recorded(steps, record) {
  for (const frame of steps) {
    record.frames.push(frame);
    yield;
  }
  record.over = true;
}
