// The optimiser of ppo_helpers.walking: torch's gradient clipping and Adam.

/** The length of the gradient of all networks together. */
export function gradientNorm(networks) {
  let squares = 0;
  for (const { gradient } of networks) for (let i = 0; i < gradient.length; i++) squares += gradient[i] * gradient[i];
  return Math.sqrt(squares);
}

/** What a gradient is multiplied by so that it is no longer than `longest`; null for any length. */
export const shortening = (norm, longest) => (longest === null ? 1 : Math.min(1, longest / (norm + 1e-6)));

/** Adam for these networks: call it with a learning rate after each `backward`; `scale` shortens the gradient. */
export function adam(networks, [beta1, beta2] = [0.9, 0.999], tiny = 1e-5) {
  const memories = networks.map(({ parameters }) => [0, 1].map(() => new Float64Array(parameters.length)));
  let time = 0;
  return (rate, scale = 1) => {
    time += 1;
    const size = Math.sqrt(1 - beta2 ** time);
    const step = (rate * size) / (1 - beta1 ** time); // both corrections of the means, taken out of the loop
    networks.forEach(({ parameters, gradient }, k) => {
      const [first, second] = memories[k];
      for (let i = 0; i < parameters.length; i++) {
        const g = scale * gradient[i];
        first[i] += (1 - beta1) * (g - first[i]);
        second[i] = beta2 * second[i] + (1 - beta2) * g * g;
        parameters[i] -= (step * first[i]) / (Math.sqrt(second[i]) + tiny * size);
      }
    });
  };
}
