// What can be shown of a run by iteration: each as it stands in a frame of the record, its axis, and what is said.
import { fine, show } from "../parts/dom.js";

const log = (v) => (v === undefined ? Number.NaN : Math.log10(v));
const later = (words) => (v) => (v === undefined ? "no update yet" : words(v));

const POINTS = {
  of: ({ points }) => points,
  /** What falls deeper runs along the foot. */
  range: ({ best, random }) => [random - 0.4 * (best - random || 1), best + 0.12 * (best - random || 1)],
  told: ({ points }) => `${show(points)} points a walk`,
};
const measured = (name, range, words, own = {}) => ({
  of: (frame) => frame[name],
  range: () => range,
  told: (frame) => later(words)(frame[name]),
  ...own,
});

const MEASURES = new Map([
  ["points a walk", POINTS],
  [
    "KL, nats",
    measured("kl", [-3, 1], (v) => `KL ${fine(v)} nats`, { of: ({ kl }) => log(kl), ticks: (v) => show(10 ** v, 3) }),
  ],
  ["clip fraction", measured("clipFraction", [0, 1], (v) => `${show(100 * v, 0)} % outside`)],
  ["entropy, nats", measured("entropy", [0, Math.log(4)], (v) => `entropy ${show(v, 2)} nats`)],
]);

export const MEASURE_NAMES = [...MEASURES.keys()];

/** A measure by its name; points for a name that is none. */
export function measureOf(name) {
  const known = MEASURES.has(name) ? name : MEASURE_NAMES[0];
  const measure = MEASURES.get(known);
  return { name: known, points: measure === POINTS, ...measure };
}
