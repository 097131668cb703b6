// CartPole-v1 as Gymnasium has it: the tests hold the two equal. A state is where the cart stands, how fast it goes,
// the angle of the pole, and how fast that grows; what the networks see of it is in single precision.

const [GRAVITY, CART, POLE, HALF, FORCE] = [9.8, 1, 0.1, 0.5, 10]; // m/s², kg, kg, half the pole in m, N
export const TICK = 0.02; // seconds between two pushes
export const WIDEST = 2.4; // metres from the middle
export const STEEPEST = (12 * Math.PI) / 180;
export const LONGEST = 500; // pushes, then a walk is cut off

/** The state after a push: action 0 is to the left, 1 to the right. */
export function pushed([x, speed, angle, turn], action) {
  const [sine, cosine, total] = [Math.sin(angle), Math.cos(angle), CART + POLE];
  const drive = ((action ? FORCE : -FORCE) + POLE * HALF * turn * turn * sine) / total;
  const fall = (GRAVITY * sine - cosine * drive) / (HALF * (4 / 3 - (POLE * cosine * cosine) / total));
  const rush = drive - (POLE * HALF * fall * cosine) / total;
  return [x + TICK * speed, speed + TICK * rush, angle + TICK * turn, turn + TICK * fall];
}

export const hasFallen = ([x, , angle]) => Math.abs(x) > WIDEST || Math.abs(angle) > STEEPEST;

/** A pole that has just been set up: all four numbers are small. */
export const setUp = ({ uniform }) => Array.from({ length: 4 }, () => 0.1 * uniform() - 0.05);

export const seenOf = (state) => state.map(Math.fround);
