"""The bundled model as a script that a page can load: its very weights, and the vocabulary as the list of its merges.

A page that was opened from a file may not fetch, but it may load a script. This one hands over a text with all arrays
in it; ``parts/unpacked.js`` reads them.
"""

import json
from base64 import b64encode
from functools import cache, partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

MODEL = Path(__file__).parents[1] / "language" / "tiny_gpt2"
POLICIES = Path(__file__).parents[1] / "sweep_data" / "policies.safetensors"
COUNTING = POLICIES.with_name("counting.safetensors")
NAME = "tiny-gpt2"
TRAINED, COUNTED = "tiny-gpt2-trained", "tiny-gpt2-counting"  # by chapter 11, by chapter 9
EMBEDDING = "wte.weight"
KINDS = {"float16": "half", "uint16": "whole", "uint8": "bytes"}


def script(folder: Path = MODEL) -> str:
    """What the page loads when a reader wakes the model.

    Args:
        folder: a GPT-2 with ``config.json``, ``model.safetensors`` and ``tokenizer.json``.

    Returns:
        JavaScript: one call that hands the model to ``live-static.js``.
    """
    config = json.loads((folder / "config.json").read_text("utf-8"))
    shape = {"heads": config["n_head"], "layers": config["n_layer"]}
    packed = pack({**weights(folder), "merges": merges(folder)})
    return f"livePage.take({json.dumps(NAME)}, {json.dumps({'shape': shape, **packed})});\n"


def trained_script(name: str = TRAINED, path: Path = POLICIES) -> str:
    """What the page loads besides, to show what training has made of the model: ``sweeps/policies.py`` wrote it.

    Args:
        name: what the page calls it.
        path: changes in four bits, by model and weight.

    Returns:
        JavaScript, as that of :func:`script`.
    """
    return f"livePage.take({json.dumps(name)}, {json.dumps(pack(load_file(path)))});\n"


@cache
def weights(folder: Path = MODEL) -> dict[str, np.ndarray]:
    """The weights by GPT-2's own names, matrices as (out, in); of equal rows of the embedding one.

    Args:
        folder: where the model is.

    Returns:
        Arrays in half precision, as they are stored, and ``rows``, (V,): which row of the embedding a token has.
    """
    loaded = load_file(folder / "model.safetensors")
    named = {name.removeprefix("transformer."): value for name, value in loaded.items()}
    named.pop("lm_head.weight", None)  # the embedding once more
    turned = turn(named)
    as_bytes = np.ascontiguousarray(turned[EMBEDDING]).view(f"V{turned[EMBEDDING][0].nbytes}").reshape(-1)
    _, first, rows = np.unique(as_bytes, return_index=True, return_inverse=True)
    return turned | {EMBEDDING: turned[EMBEDDING][first], "rows": rows.astype(np.uint16)}


def turn(named: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """GPT-2's matrices as (out, in) instead of (in, out), or the other way round; the embeddings stay as they are.

    Args:
        named: weights by GPT-2's own names.
    """
    return {name: x.T if x.ndim == 2 and name.startswith("h.") else x for name, x in named.items()}


def merges(folder: Path = MODEL) -> np.ndarray:
    """(50000, 2) the two tokens that each merge joins; what merge i makes is token 256 + i.

    Args:
        folder: where the model is.

    Raises:
        ValueError: if the vocabulary has another order.
    """
    model = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]
    vocabulary = model["vocab"]
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    if any(vocabulary[left + right] != 256 + i for i, (left, right) in enumerate(pairs)):
        raise ValueError(f"the tokens of {folder} must be numbered in the order of their merges, as GPT-2's are")
    return np.array([[vocabulary[left], vocabulary[right]] for left, right in pairs], np.uint16)


def in_four_bits(start: dict[str, np.ndarray], end: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What training has added to each weight, small.

    Args:
        start: the weights before, by name.
        end: and after.

    Returns:
        For a matrix two numbers a byte, −7 … 7 above 8, and ``name.scales``: what each row is multiplied with. For a
        vector the differences in half precision.
    """
    found = {}
    for name, before in start.items():
        change = end[name] - before
        if change.ndim == 1:
            found[name] = change.astype(np.float16)
            continue
        scales = np.maximum(np.abs(change).max(axis=1) / 7, 1e-7).astype(np.float16)
        numbers = (8 + (change / scales.astype(np.float32)[:, None]).round()).astype(np.uint8).reshape(-1, 2)
        found |= {name: numbers[:, 0] | (numbers[:, 1] << 4), f"{name}.scales": scales}
    return found


def changed(start: dict[str, np.ndarray], change: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights with what :func:`in_four_bits` has kept of a training added to them.

    Args:
        start: the weights before, by name.
        change: what was added.

    Returns:
        The weights after, in single precision.
    """
    found = {}
    for name, before in start.items():
        added = change[name]
        if before.ndim == 2:
            numbers = np.stack([added & 15, added >> 4], axis=1).reshape(before.shape).astype(np.float32) - 8
            added = numbers * change[f"{name}.scales"].astype(np.float32)[:, None]
        found[name] = (before + added).astype(np.float32)
    return found


def pack(arrays: dict[str, np.ndarray]) -> dict:
    """Arrays in one text.

    Args:
        arrays: of half precision, whole numbers of 16 bits, or an even number of bytes.

    Returns:
        ``data``, all bytes in base 64, and ``arrays``: what stands where, counted in pairs of bytes.

    Raises:
        ValueError: if an array has another type, or an odd number of bytes.
    """
    where, parts, at = {}, [], 0
    for name, values in arrays.items():
        if values.dtype.name not in KINDS or values.nbytes % 2:
            raise ValueError(f"{name} must be {', '.join(KINDS)} of even length, got {values.nbytes} of {values.dtype}")
        where[name] = {"kind": KINDS[values.dtype.name], "at": at, "length": values.nbytes // 2}
        parts.append(values.astype(values.dtype.newbyteorder("<")).tobytes())
        at += values.nbytes // 2
    return {"arrays": where, "data": b64encode(b"".join(parts)).decode()}


SCRIPTS = {NAME: script, TRAINED: trained_script, COUNTED: partial(trained_script, COUNTED, COUNTING)}
