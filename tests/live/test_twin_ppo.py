"""PPO that trains in the page: fed with Python's weights, noise and order, JavaScript learns what Python learns."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from live_checks import javascript

from ppo_helpers.experience import Batch, gae
from ppo_helpers.gridworld import GridWorld, GridWorldVectorEnv
from ppo_helpers.networks import PolicyNetwork, ValueNetwork
from ppo_helpers.objectives import whiten
from ppo_helpers.ppo import PPOConfig, ppo_update
from ppo_helpers.walking import Collector, Training, WalkConfig, evaluator

CALLS = """
const open = (text, cost, rewards) => parseWorld(text, cost, rewards);
/** Chance that was drawn in Python. */
const recorded = ({ noise, starts, orders, uniforms = [] }) => {
  let [drawn, begun, poured, iteration] = [0, 0, 0, -1];
  return { normal: Math.random, gumbel: () => noise[drawn++], pick: () => starts[begun++],
    uniform: () => uniforms[poured++], order: () => Int32Array.from(orders[iteration].shift()),
    next: () => { iteration += 1; } };
};
function train(text, cost, rewards, config, room, run) {
  const chance = recorded(run);
  return trained(trainingOf(open(text, cost, rewards), config, room, chance), chance, run);
}
function balance(config, room, run) {
  const chance = recorded(run);
  return trained(poleTrainingOf(config, room, chance), chance, run);
}
function trained(training, chance, run) {
  const { policy, value } = training.nets;
  policy.parameters.set(run.policy);
  value.parameters.set(run.value);
  const rows = [];
  while (training.done < run.iterations) {
    chance.next();
    const { batch, measured } = iterate(training);
    rows.push({ batch: Object.fromEntries(Object.entries(batch).map(([name, column]) => [name, [...column]])),
      stats: statsOf(measured), ratios: ratiosOf(training, batch) });
  }
  return JSON.stringify({ policy: [...policy.parameters], value: [...value.parameters], rows });
}
/** Networks with given parameters over a given world. */
function netsOf(text, hidden, parameters) {
  const book = bookOf(open(text, 1, { M: 5 }), "xy");
  const [policy, value] = [4, 1].map((outputs) => networkOf([book.size, ...hidden, outputs]));
  [policy, value].forEach((network, i) => network.parameters.set(parameters[i]));
  return { policy, value, book };
}
function loss(text, hidden, parameters, columns, config) {
  const nets = netsOf(text, hidden, parameters);
  const sums = lossGradients(nets, columns, columns.rows.map((_, n) => n), config);
  return JSON.stringify({ sums, gradients: [[...nets.policy.gradient], [...nets.value.gradient]] });
}
function steps(parameters, gradients, rate, longest) {
  const networks = parameters.map((p) => ({ parameters: Float64Array.from(p), gradient: new Float64Array(p.length) }));
  const step = adam(networks), norms = [];
  for (const all of gradients) {
    all.forEach((gradient, i) => networks[i].gradient.set(gradient));
    norms.push(gradientNorm(networks));
    step(rate, shortening(norms.at(-1), longest));
  }
  return JSON.stringify({ norms, parameters: networks.map((network) => [...network.parameters]) });
}
function firstWeights(sizes, gain, seed) {
  const network = networkOf(sizes);
  initialise(network, gain, dice(generator(seed)).normal);
  return JSON.stringify(network.layers.map(({ weight, bias }) => [[...weight], [...bias]]));
}
function shuffles(count, times, seed) {
  const { order } = dice(generator(seed));
  return JSON.stringify(Array.from({ length: times }, () => [...order(count)]));
}
function draws(logprobs, times, seed) {
  const { gumbel } = dice(generator(seed));
  const count = [0, 0, 0, 0];
  for (let i = 0; i < times; i++) {
    const scores = logprobs.map((v) => (v ?? -Infinity) + gumbel());
    count[scores.indexOf(Math.max(...scores))] += 1;
  }
  return JSON.stringify(count);
}
const judged = (paths, values, numbers) => {
  const { advantages, returns } = batchOf(paths, { logprobs: new Array(400).fill(0), values, moves: 4 }, numbers);
  return JSON.stringify({ advantages: [...advantages], returns: [...returns] });
};
"""
CLOSE = {"rtol": 0, "atol": 1e-9}


@pytest.fixture(scope="module")
def engine():
    files = [
        "gridworld",
        "network",
        "adam",
        "dice",
        "walks",
        "collector",
        "grid_walkers",
        "cartpole",
        "ppo",
        "training",
    ]
    racer = javascript(*(f"twins/{name}.js" for name in files))
    racer.eval(CALLS)
    return racer


@pytest.fixture
def float64(monkeypatch):
    """Python in JavaScript's precision: networks, noise, and what the worlds say."""
    tensor = Collector._tensor

    def double(self, array):
        made = tensor(self, array)
        return made.double() if made is not None and made.is_floating_point() else made

    monkeypatch.setattr(Collector, "_tensor", double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def flat(network):
    return torch.cat([p.detach().reshape(-1) for p in network.parameters()]).tolist()


# --- a whole training -----------------------------------------------------------------------------------------------

WORLD = GridWorld.default()
LARGE = GridWorld.from_text("S . . . .\n. # # # .\n. # M # .\n. . . . D", move_cost=0.5, rewards={"M": 9})
LAB = {"steps": 16, "gamma": 1.0, "learning_rate": 3e-3, "ent_coef": 0.01, "hidden": (32, 32)}
CASES = {
    "clip": (WORLD, WalkConfig(**LAB, epochs=20), 50, "xy"),
    "no clip": (WORLD, WalkConfig(**LAB, epochs=20, clip_eps=None), 50, "xy"),
    "minibatches, annealed": (
        WORLD,
        WalkConfig(**LAB, iterations=7, minibatch_size=70, anneal_lr=True, anneal_clip=True),
        50,
        "xy",
    ),
    "cut off, raw advantages": (
        LARGE,
        WalkConfig(
            steps=9, hidden=(8,), gamma=0.9, lam=0.8, whiten_advantages=False, max_grad_norm=None, learning_rate=0.02
        ),
        5,
        "xy",
    ),
    "target KL, value clip, one-hot": (
        WORLD,
        WalkConfig(**LAB, epochs=10, target_kl=0.01, value_clip_eps=0.3, vf_coef=0.3),
        6,
        "onehot",
    ),
}


def recorded(world, config, max_steps, observation, iterations, walkers=16):
    """Train in Python, and keep all that chance has drawn."""
    envs = GridWorldVectorEnv(world, walkers, observation, max_steps)
    starts, draw = [], envs._draw_starts

    def kept(count):
        drawn = draw(count)
        starts.extend(drawn.tolist())
        return drawn

    envs._draw_starts = kept
    training, results, run = followed(Training(envs, config, seed=1), iterations, (walkers, 4))
    return training, results, run | {"starts": starts}


def followed(training, iterations, shape):
    """Take a training further, and keep its first weights and what its own generator draws."""
    run = {"policy": flat(training.policy), "value": flat(training.value), "noise": [], "orders": []}
    results, config = [], training.config
    for _ in range(iterations):
        generator = torch.Generator().manual_seed(0)
        generator.set_state(training.generator.get_state())
        noise = -torch.empty(config.steps, *shape).exponential_(generator=generator).log()
        run["noise"] += noise.flatten().tolist()
        results.append(training.iterate())
        steps = int(results[-1].experience.mask.sum())
        run["orders"].append([torch.randperm(steps, generator=generator).tolist() for _ in range(config.epochs)])
    return training, results, run | {"iterations": iterations}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_after_five_iterations_the_parameters_are_those_of_python(engine, float64, case):
    world, config, max_steps, observation = case
    training, results, run = recorded(*case, iterations=5)
    room = {"walkers": 16, "max_steps": max_steps, "observation": observation}
    said = engine.call("train", world.to_text(), world.move_cost, world.rewards, asdict(config), room, run)
    learned_alike(json.loads(said), training, results)


STATS = {"policyLoss": "policy_loss", "valueLoss": "value_loss", "entropy": "entropy", "kl": "approx_kl",
         "clipFraction": "clip_fraction"}  # fmt: skip


def learned_alike(found, training, results):
    config = training.config
    np.testing.assert_allclose(found["policy"], flat(training.policy), **CLOSE)
    np.testing.assert_allclose(found["value"], flat(training.value), **CLOSE)
    for row, result in zip(found["rows"], results, strict=True):
        seen = result.experience
        batch = seen.batch(config.gamma, config.lam)
        assert row["batch"]["actions"] == batch.inputs["actions"].tolist()
        for name, column in (("oldLogprobs", batch.old_logprobs), ("advantages", batch.advantages)):
            np.testing.assert_allclose(row["batch"][name], column, **CLOSE)
        for name, theirs in STATS.items():
            assert row["stats"][name] == pytest.approx(getattr(result.stats, theirs), abs=1e-9)
    now = training.policy.logprobs(seen.observations, seen.actions, seen.action_masks)[seen.mask]
    np.testing.assert_allclose(found["rows"][-1]["ratios"], (now - batch.old_logprobs).exp().detach(), **CLOSE)


class Poles(CartPoleVectorEnv):
    """CartPole that keeps how its poles were set up."""

    def reset(self, **options):
        seen = super().reset(**options)
        self.set_up = self.state.T.tolist()
        return seen

    def step(self, actions):
        ended = self.prev_done.copy()
        seen = super().step(actions)
        self.set_up += self.state[:, ended].T.tolist()
        return seen


BALANCE = {"gamma": 0.98, "lam": 0.8, "learning_rate": 2e-3, "hidden": (32, 32), "epochs": 10}
POLES = {
    "the page's dials": (WalkConfig(**BALANCE, steps=32), 500),
    "annealed minibatches": (WalkConfig(**BALANCE, minibatch_size=70, steps=23, anneal_lr=True, anneal_clip=True), 500),
    "cut off": (WalkConfig(**BALANCE | {"epochs": 3}, steps=40, target_kl=0.0005), 9),
}


def balanced(config, longest, iterations, count=8):
    envs = Poles(count, max_episode_steps=longest)
    envs.reset(seed=0)
    training, results, run = followed(Training(envs, config, seed=1), iterations, (count, 2))
    return training, results, run | {"uniforms": [(v + 0.05) / 0.1 for state in envs.set_up for v in state]}


@pytest.mark.parametrize(("config", "longest"), POLES.values(), ids=POLES)
def test_after_five_iterations_poles_are_balanced_as_in_python(engine, float64, config, longest):
    training, results, run = balanced(config, longest, 5)
    room = {"walkers": 8} | ({} if longest == 500 else {"longest": longest})
    learned_alike(json.loads(engine.call("balance", asdict(config), room, run)), training, results)


@pytest.mark.parametrize("seed", range(5))
def test_carts_are_pushed_as_in_gymnasium(engine, seed):
    """A walk of random pushes, until long after the pole has fallen."""
    rng, envs = np.random.default_rng(seed), Poles(1)
    envs.reset(seed=seed)
    state, actions, theirs = envs.state[:, 0].tolist(), rng.integers(2, size=60).tolist(), []
    for action in actions:
        *_, fallen, _, _ = envs.step(np.array([action]))
        theirs.append([envs.state[:, 0].tolist(), bool(fallen[0])])
        envs.prev_done[:] = False  # nobody sets it up again
    walk = f"{actions}.map(((s) => (a) => [(s = pushed(s, a)), hasFallen(s)])({state}))"
    found = json.loads(engine.eval(f"JSON.stringify({walk})"))
    np.testing.assert_allclose([s for s, _ in found], [s for s, _ in theirs], rtol=1e-12)
    assert [fell for _, fell in found] == [fell for _, fell in theirs] and found[-1][1]


def test_something_was_cut_off_and_something_was_stopped(float64):
    """The cases above are no easier than they say."""
    _, results, _ = recorded(*CASES["cut off, raw advantages"], iterations=5)
    assert sum(int((r.experience.final_values != 0).sum()) for r in results) > 10
    _, results, _ = recorded(*CASES["target KL, value clip, one-hot"], iterations=5)
    assert any(r.stats.optimizer_steps < 10 for r in results)
    _, results, _ = balanced(*POLES["cut off"], iterations=5)
    assert sum(int((r.experience.final_values != 0).sum()) for r in results) > 10
    assert any(r.stats.optimizer_steps < 6 for r in results)


# --- its parts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_advantages_of_paths_are_those_of_gae(engine, seed):
    rng = np.random.default_rng(seed)
    steps, gamma, lam = int(rng.integers(1, 9)), float(rng.uniform(0.5, 1)), float(rng.uniform())
    values, rewards = rng.normal(size=12), rng.normal(size=steps)
    rows, end, arrived = rng.integers(12, size=steps), int(rng.integers(12)), bool(seed % 2)
    path = {"rows": rows.tolist(), "actions": [0] * steps, "rewards": rewards.tolist(), "arrived": arrived, "end": end}
    found = json.loads(engine.call("judged", [path], values.tolist(), {"gamma": gamma, "lam": lam}))
    dones = torch.zeros(1, steps, dtype=torch.bool)
    dones[0, -1] = arrived
    row = [torch.tensor(x)[None] for x in (rewards, values[rows])]
    advantages, returns = gae(*row, dones, torch.tensor([values[end]]), gamma, lam)
    np.testing.assert_allclose(found["advantages"], advantages[0], **CLOSE)
    np.testing.assert_allclose(found["returns"], returns[0], **CLOSE)


def problem(seed, hidden=(7, 5), steps=30):
    """Networks and a batch of steps on a corridor whose ratios lie on both sides of the band."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    world = GridWorld.from_text(". . . # M\n. # . . .\n. . . . M")
    policy, value = PolicyNetwork(2, 4, hidden).double(), ValueNetwork(2, hidden).double()
    with torch.no_grad():
        policy.layers[-1].weight *= 100  # the first policy is nearly uniform, and hides mistakes
    free = torch.tensor([s for s, cell in enumerate(world.states) if cell not in world.terminals])
    rows = torch.randint(len(free), (steps,), generator=generator)
    masks = torch.tensor(world.transitions().allowed)[free][rows]
    actions = torch.multinomial(masks.double(), 1, generator=generator)[:, 0]
    seen = torch.tensor(world.observations()).double()[free][rows]
    inputs = {"observations": seen, "actions": actions, "action_masks": masks}
    old = policy.logprobs(seen, actions, masks).detach() + 0.3 * torch.randn(steps, generator=generator).double()
    old_values = value(seen).detach() + torch.randn(steps, generator=generator).double()
    advantages, returns = (torch.randn(steps, generator=generator).double() for _ in range(2))
    batch = Batch(inputs, old, advantages, returns, old_values, torch.ones(steps, dtype=torch.bool))
    return world, policy, value, batch, rows


@pytest.mark.parametrize("seed", range(12))
def test_the_loss_has_the_gradient_of_autograd(engine, seed):
    config = PPOConfig(
        epochs=1, clip_eps=[0.2, None, 0.05][seed % 3], ent_coef=[0.0, 0.3][seed % 2], vf_coef=0.7,
        value_clip_eps=[None, 0.4][seed // 2 % 2], max_grad_norm=None, whiten_advantages=False, learning_rate=0.0,
    )  # fmt: skip
    world, policy, value, batch, rows = problem(seed)
    parameters = [flat(policy), flat(value)]
    optimizer = torch.optim.SGD([*policy.parameters(), *value.parameters()], lr=0.0)
    stats = ppo_update(evaluator(policy, value), batch, optimizer, config)
    columns = {
        "rows": rows, "actions": batch.inputs["actions"], "oldLogprobs": batch.old_logprobs,
        "advantages": batch.advantages, "returns": batch.returns, "oldValues": batch.old_values,
    }  # fmt: skip
    columns = {name: column.tolist() for name, column in columns.items()}
    found = json.loads(engine.call("loss", world.to_text(), [7, 5], parameters, columns, asdict(config)))
    for gradient, network in zip(found["gradients"], (policy, value), strict=True):
        np.testing.assert_allclose(gradient, torch.cat([p.grad.reshape(-1) for p in network.parameters()]), **CLOSE)
    expected = {
        "policyLoss": stats.policy_loss, "valueLoss": stats.value_loss, "entropy": stats.entropy,
        "kl": stats.approx_kl, "clipFraction": stats.clip_fraction,
    }  # fmt: skip
    assert found["sums"] == pytest.approx(expected, abs=1e-9)
    assert stats.clip_fraction > 0


@pytest.mark.parametrize("seed", range(6))
def test_adam_steps_as_in_torch(engine, seed):
    rng, longest = np.random.default_rng(seed), [None, 0.5, 100.0][seed % 3]
    start, gradients = [rng.normal(size=n) for n in (9, 4)], [[rng.normal(size=n) for n in (9, 4)] for _ in range(7)]
    parameters = [torch.tensor(p, requires_grad=True) for p in start]
    optimizer, norms = torch.optim.Adam(parameters, lr=0.01, eps=1e-5), []
    for row in gradients:
        for parameter, gradient in zip(parameters, row, strict=True):
            parameter.grad = torch.tensor(gradient)
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, longest or float("inf")).item())
        optimizer.step()
    rows = [[g.tolist() for g in row] for row in gradients]
    found = json.loads(engine.call("steps", [p.tolist() for p in start], rows, 0.01, longest))
    np.testing.assert_allclose(found["norms"], norms, **CLOSE)
    for mine, theirs in zip(found["parameters"], parameters, strict=True):
        np.testing.assert_allclose(mine, theirs.detach(), **CLOSE)


@pytest.mark.parametrize("numbers", [[1, 2, 3, 10], [0.1] * 7, [5], [1e9, 1e9 + 1]])
def test_whitening_is_pythons(engine, numbers):
    found = json.loads(engine.eval(f"JSON.stringify([...whiten(Float64Array.from({numbers}))])"))
    np.testing.assert_allclose(found, whiten(torch.tensor(numbers, dtype=torch.double)), **CLOSE)


def test_minibatches_are_of_equal_size(engine):
    cut = "minibatches(Int32Array.from({ length: 256 }, (_, i) => i), 100).map((part) => [...part])"
    parts = json.loads(engine.eval(f"JSON.stringify({cut})"))
    assert parts == [part.tolist() for part in torch.arange(256).tensor_split(3)]


# --- chance ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[2, 32, 32, 4], [13, 8, 1], [2, 3]])
def test_first_weights_are_orthogonal_as_in_python(engine, sizes):
    layers = json.loads(engine.call("firstWeights", sizes, 0.01, 5))
    for k, (weight, bias) in enumerate(layers):
        inputs, outputs = sizes[k], sizes[k + 1]
        matrix, gain = np.reshape(weight, (outputs, inputs)), 0.01 if k == len(layers) - 1 else 2**0.5
        product = matrix @ matrix.T if outputs < inputs else matrix.T @ matrix
        np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-12)
        assert bias == [0] * outputs


def test_moves_are_drawn_as_often_as_the_policy_says(engine):
    probabilities = np.array([0.5, 0.3, 0.2])
    count = json.loads(engine.call("draws", [*np.log(probabilities), None], 20_000, 3))
    assert count[3] == 0
    assert np.abs(np.array(count[:3]) / 20_000 - probabilities).max() < 0.015


def test_every_order_is_as_likely(engine):
    orders = json.loads(engine.call("shuffles", 3, 6000, 2))
    counts = np.unique([" ".join(map(str, order)) for order in orders], return_counts=True)[1]
    assert len(counts) == 6 and np.abs(counts / 1000 - 1).max() < 0.15


@pytest.mark.parametrize("text", [WORLD.to_text(), LARGE.to_text(), ". . # .\nM # . .", ". M"])
def test_walks_start_where_pythons_start(engine, text):
    world = GridWorld.from_text(text)
    call = f"JSON.stringify(startsOf(parseWorld({json.dumps(text)}, 1, {json.dumps(world.rewards)})))"
    assert json.loads(engine.eval(call)) == [world.index[cell] for cell in world.starts]
