"""Chapter 3 over seeds: the error on unseen cells, for five shares of seen ones, with the wall and without it.

    make sweeps

It writes ``ppo_helpers/sweep_data/unseen_cells.json``, which the chapter reads: about a minute on an idle core. The
thirty networks of one share learn side by side as one stack of matrices. Each learns as it would alone.
"""

import json
from pathlib import Path

import torch

from ppo_helpers.gridworld import GridWorld
from ppo_helpers.networks import ValueNetwork
from ppo_helpers.planning import value_iteration

DATA = Path(__file__).parents[1] / "ppo_helpers" / "sweep_data" / "unseen_cells.json"
SEEDS, STEPS, SHARES = range(30), 1200, (0.04, 0.08, 0.16, 0.32, 0.64)
ROWS = [". . . . . . . . . . . ."] * 2 + [". . . . . # . . . . . ."] * 9 + [". . . . M # . . . . . ."]
WORLDS = {"with the wall": "\n".join(ROWS), "wall erased": "\n".join(ROWS).replace("#", ".")}


def inputs(world: GridWorld) -> torch.Tensor:
    """(S, 2): column and row of every state, scaled to [−1, 1], as in the chapter."""
    row, col = torch.tensor(world.states, dtype=torch.float32).T
    height, width = world.shape
    return torch.stack([2 * col / (width - 1) - 1, 2 * row / (height - 1) - 1], dim=1)


def stacked_networks() -> list[torch.Tensor]:
    """Weights and biases of one value network per seed, each kind in one tensor."""
    kinds = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        kinds.append([p.detach() for p in ValueNetwork(observation_size=2).parameters()])
    return [torch.stack(kind).requires_grad_() for kind in zip(*kinds, strict=True)]


def predicted(parameters: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """(N, K): what each of N networks says of its own K cells."""
    for i in range(0, len(parameters), 2):
        weight, bias = parameters[i : i + 2]
        x = torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))
        x = x.tanh() if i + 2 < len(parameters) else x
    return x.squeeze(-1)


def unseen_errors(world: GridWorld, share: float) -> list[float]:
    """Root mean squared error on the cells not seen, one number per seed."""
    x, truth = inputs(world), torch.tensor(value_iteration(world).values, dtype=torch.float32)
    orders = [torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)) for seed in SEEDS]
    count = int(share * len(x))
    seen, unseen = torch.stack(orders)[:, :count], torch.stack(orders)[:, count:]
    parameters = stacked_networks()
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    for _ in range(STEPS + 1):
        loss = (predicted(parameters, x[seen]) - truth[seen]).square().mean(dim=1).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return (predicted(parameters, x[unseen]) - truth[unseen]).square().mean(dim=1).sqrt().tolist()


def main() -> None:
    torch.set_num_threads(1)
    worlds = {name: GridWorld.from_text(text, move_cost=0.25) for name, text in WORLDS.items()}
    errors = {
        name: {str(share): [round(error, 4) for error in unseen_errors(world, share)] for share in SHARES}
        for name, world in worlds.items()
    }
    DATA.write_text(json.dumps({"steps": STEPS, "errors": errors}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
