"""The bundled model as a script that a page can load: its very weights, and the vocabulary as the list of its merges.

A page that was opened from a file may not fetch, but it may load a script. This one hands over a text with all arrays
in it; ``parts/unpacked.js`` reads them.
"""

import json
from base64 import b64encode
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

MODEL = Path(__file__).parents[1] / "language" / "tiny_gpt2"
NAME = "tiny-gpt2"
EMBEDDING = "wte.weight"


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
    turned = {name: x.T if x.ndim == 2 and name.startswith("h.") else x for name, x in named.items()}
    as_bytes = np.ascontiguousarray(turned[EMBEDDING]).view(f"V{turned[EMBEDDING][0].nbytes}").reshape(-1)
    _, first, rows = np.unique(as_bytes, return_index=True, return_inverse=True)
    return turned | {EMBEDDING: turned[EMBEDDING][first], "rows": rows.astype(np.uint16)}


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


def pack(arrays: dict[str, np.ndarray]) -> dict:
    """Arrays in one text.

    Args:
        arrays: of half precision, or whole numbers of 16 bits.

    Returns:
        ``data``, all bytes in base 64, and ``arrays``: what stands where, counted in numbers.

    Raises:
        ValueError: if an array has another type.
    """
    where, parts, at = {}, [], 0
    for name, values in arrays.items():
        if values.dtype not in (np.float16, np.uint16):
            raise ValueError(f"{name} must be float16 or uint16, got {values.dtype}")
        where[name] = {"half": values.dtype == np.float16, "at": at, "length": values.size}
        parts.append(values.astype(values.dtype.newbyteorder("<")).tobytes())
        at += values.size
    return {"arrays": where, "data": b64encode(b"".join(parts)).decode()}
