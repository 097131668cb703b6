// All chance of a training. The tests put numbers that Python has drawn in its place.

/** From `random`, which gives numbers in [0, 1). */
export function dice(random) {
  const uniform = () => Math.max(random(), 1e-12); // its logarithm is taken
  return {
    uniform,
    /** What is added to log-probabilities: the largest of the sums is a draw from the policy. */
    gumbel: () => -Math.log(-Math.log(uniform())),
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * random()),
    pick: (list) => list[Math.floor(random() * list.length)],
    /** The numbers 0 … count − 1 in any order: Fisher and Yates. */
    order(count) {
      const rows = Int32Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        const other = rows[j];
        rows[j] = rows[i];
        rows[i] = other;
      }
      return rows;
    },
  };
}
