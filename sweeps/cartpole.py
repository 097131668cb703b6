"""Chapter 7's CartPole over seeds: how long the training took, what its last walks earned, and what it can do.

    make sweeps

Training is the chapter's own cell. About ten minutes on an idle core.
"""

import json

from sweeps.cells import ROOT, names_of

DATA = ROOT / "ppo_helpers" / "sweep_data" / "cartpole.json"
SEEDS = range(30)


def chapter() -> dict:
    """What chapter 7 defines for its run."""
    return names_of("07", "cartpole-dials")


def run(names: dict, seed: int) -> dict:
    """One training until it is solved or over; then 100 walks that always take the likeliest action."""
    *_, last = names["balance"](seed)
    test = names["gym"].make_vec("CartPole-v1", num_envs=100, vectorization_mode="vector_entry_point")
    greedy = names["greedy_returns"](last.policy, test, seed=seed).mean().item()
    return {"steps": last.steps, "exploring": round(last.mean_return, 2), "greedy": round(greedy, 2)}


def main() -> None:
    names = chapter()
    seeds = {}
    for seed in SEEDS:
        seeds[str(seed)] = run(names, seed)
        print(seed, seeds[str(seed)], flush=True)
    DATA.write_text(json.dumps({"seeds": seeds}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
