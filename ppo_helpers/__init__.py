"""PPO, from Gridworld to GPT-2: the small package behind the book."""
