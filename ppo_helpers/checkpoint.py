"""The state of a training as a file, for both worlds: tensors in safetensors, everything else as JSON beside them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

FORMAT = "ppo_helpers checkpoint 2"


def save(path: str | Path, state: dict[str, Any], identity: dict[str, Any]) -> None:
    """Write a checkpoint. An older file of that name is replaced only when the new one is complete.

    Args:
        path: the file.
        state: dictionaries in dictionaries of tensors, numbers, texts and lists of them; keys are texts without "/".
        identity: what must agree between this training and one that goes on from it: numbers and texts by name.
    """
    tensors, plain = _flat(state)
    words = {"format": FORMAT, "identity": _json(identity), "plain": _json(plain)}
    unfinished = Path(f"{path}.part")
    save_file(tensors, unfinished, metadata=words | {"digest": _digest(tensors, words)})
    unfinished.replace(path)


def load(path: str | Path, identity: dict[str, Any]) -> dict[str, Any]:
    """Read a checkpoint.

    Args:
        path: a file written by :func:`save`.
        identity: that of the training that will go on from it.

    Returns:
        The state as it was given to :func:`save`, tensors on the CPU.

    Raises:
        ValueError: if the file is missing, damaged, foreign, or of a training with another identity.
    """
    try:
        with safe_open(path, "pt") as file:
            words = file.metadata() or {}
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"checkpoint must be a file that save has written, got {path}: {error}") from error
    if words.get("format") != FORMAT:
        raise ValueError(f"checkpoint must be a {FORMAT!r}, got {words.get('format')!r} in {path}")
    if words.pop("digest", None) != _digest(tensors, words):
        raise ValueError(f"checkpoint must be whole, got {path}, whose contents have changed since they were written")
    _check_identity(json.loads(words["identity"]), json.loads(_json(identity)))
    return _nested(tensors | json.loads(words["plain"]))


def check_fits(name: str, found: Any, wanted: dict[str, Any]) -> None:
    """Compare a part of a checkpoint with what it is to be loaded into.

    Args:
        name: of the part, for the message.
        found: tensors by name, as :func:`load` gives them.
        wanted: tensors by name (or dictionaries of them) with the right shapes and dtypes.

    Raises:
        ValueError: if a name is missing or too many, or a shape or dtype is another.
    """
    names = sorted(found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or found.keys() != wanted.keys():
        raise ValueError(f"checkpoint must hold {sorted(wanted)} under {name}, got {names}")
    for key, tensor in wanted.items():
        if isinstance(tensor, dict):
            check_fits(f"{name}.{key}", found[key], tensor)
        elif _kind(found[key]) != _kind(tensor):
            raise ValueError(f"checkpoint must hold {name}.{key} as {_kind(tensor)}, got {_kind(found[key])}")


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, so that training goes on without changing them."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Tensor]]:
    """A copy of what an optimiser remembers of each parameter, by the parameter's number."""
    return {str(number): copied(state) for number, state in optimizer.state_dict()["state"].items()}


def check_optimizer(name: str, found: dict[str, Any], optimizer: torch.optim.Optimizer) -> None:
    """Raise ``ValueError`` unless an optimiser's state fits its parameters; before the first step it has none."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    averages = [{"exp_avg": p, "exp_avg_sq": p, "step": torch.zeros((), device="cpu")} for p in parameters]
    check_fits(name, found, {str(number): state for number, state in enumerate(averages)} if found else {})


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, dict[str, Tensor]]) -> None:
    """Give an optimiser back what :func:`optimizer_state` has copied."""
    by_number = {int(number): copied(of_one) for number, of_one in state.items()}
    optimizer.load_state_dict({"state": by_number, "param_groups": optimizer.state_dict()["param_groups"]})


def _json(plain: dict[str, Any]) -> str:
    """As JSON; a number of NumPy's, which a configuration may hold, as the number that it is."""
    return json.dumps(plain, default=lambda number: number.item())


def _check_identity(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name in wanted | found:
        if found.get(name) != wanted.get(name):
            raise ValueError(
                f"checkpoint must be of a training with {name} {wanted.get(name)}, got one with {found.get(name)}"
            )


def _flat(state: dict[str, Any], prefix: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and everything else, each under the path to it; an empty dictionary is its own entry."""
    tensors, plain = {}, {}
    for key, value in state.items():
        if isinstance(value, Tensor):
            tensors[prefix + key] = value.contiguous()
        elif isinstance(value, dict) and value:
            for all_of, some in zip((tensors, plain), _flat(value, f"{prefix}{key}/"), strict=True):
                all_of.update(some)
        else:
            plain[prefix + key] = value
    return tensors, plain


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for path, value in flat.items():
        *above, key = path.split("/")
        place = state
        for name in above:
            place = place.setdefault(name, {})
        place[key] = value
    return state


def _digest(tensors: dict[str, Tensor], words: dict[str, str]) -> str:
    digest = hashlib.blake2b(json.dumps(words, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {_kind(tensor)}".encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _kind(tensor: Any) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor).__name__
