"""Loading GPT-2: the real one where it can be had, the bundled small one everywhere else."""

import hashlib
import json
import logging
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from huggingface_hub import get_hf_file_metadata, hf_hub_url, snapshot_download
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
from huggingface_hub.utils import logging as hub_logging
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from ppo_helpers.devices import chosen_device

TINY = Path(__file__).parent / "tiny_gpt2"
TINY_SHA256 = "4d0ce45e6a88ee70d9203c9a8573bd59e464cc3f48e25c73fce1c3f86545c141"
GPT2 = "openai-community/gpt2"
GPT2_IDS = (GPT2, "gpt2")  # one repository under its name of today and its first one: most caches hold the latter
REVISION = "607a30d783dfa663caf39e06633721c8d4cfcd7e"  # a fixed commit: the same weights for every reader
NEEDED = ["*.json", "*.safetensors", "merges.txt", "tokenizer.model"]  # no pickled weights, no code
PATIENCE = 4.0  # seconds the hub has to answer


def load_gpt2(
    source: str | Path = "auto", device: torch.device | str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model and its tokenizer, and print one line that says which and why.

    Args:
        source: ``"auto"`` for ``$PPO_BOOK_GPT2`` if that is set, else the real GPT-2 if it is in the local cache or the
            hub answers, else the bundled model; ``"tiny"`` for the bundled model; a folder; or a hub id, which may end
            in ``@revision``. Weights are read from safetensors only, and no code that comes with a model is run.
            ``"auto"`` in the variable is the same as no variable.
        device: where the model shall live; the CPU if None.

    Returns:
        The model, in float32 and in ``eval`` mode, and its tokenizer. Called with a text that is empty or longer than
        its context, the model raises a ``ValueError`` that says so.

    Raises:
        ValueError: if the source does not exist, cannot be read, or is not a causal language model, or if the device
            is not here.
    """
    device = chosen_device(device)
    with _quiet(), torch.device("cpu"):  # not where torch.set_default_device points: there it might not be loaded
        folder, why = _found(str(source))
        model, tokenizer = _read(folder, str(source))
        _check_causal(model, str(source))
    model.register_forward_pre_hook(_check_input, with_kwargs=True)
    model = model.to(device).eval()  # with dropout, the ratio would not be 1 at the first epoch
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    print(f"{millions:.1f} million parameters on {model.device}: {why}")
    return model, tokenizer


@contextmanager
def _quiet() -> Iterator[None]:
    """What the hub and transformers say goes to a page of the book: hold it back, our one line says it all."""
    with ExitStack() as restored, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for library in (hub_logging, transformers_logging):
            restored.callback(library.set_verbosity, library.get_verbosity())
            library.set_verbosity(logging.CRITICAL)
        if not are_progress_bars_disabled():
            restored.callback(enable_progress_bars)
            disable_progress_bars()
        if transformers_logging.is_progress_bar_enabled():
            restored.callback(transformers_logging.enable_progress_bar)
            transformers_logging.disable_progress_bar()
        yield


def _found(source: str) -> tuple[Path, str]:
    """The folder a source stands for, and why it was taken."""
    if source.lower() != "auto":
        return _named(source)
    chosen = os.environ.get("PPO_BOOK_GPT2", "").strip()
    if chosen.lower() in ("", "auto"):
        return _real_or_tiny()
    return _named(chosen)[0], f"PPO_BOOK_GPT2 is {chosen}"


def _named(source: str) -> tuple[Path, str]:
    """The folder of a source that is named: the bundled model, a folder, or a model by its id."""
    if source.lower() == "tiny":
        return TINY, "the bundled model, as asked"
    if source and Path(source).expanduser().is_dir():
        return Path(source).expanduser(), "from a folder"
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?(@\w[\w.-]*)?", source):
        raise ValueError(f"source must be 'auto', 'tiny', a folder or a hub id, got {source!r}, which is none of them")
    name, _, revision = source.partition("@")
    return _from_hub(GPT2 if name in GPT2_IDS else name, revision)


def _real_or_tiny() -> tuple[Path, str]:
    try:
        return _from_hub(GPT2)
    except ValueError as error:  # whatever breaks a download, there is a model to go on with
        broken, silent = error.__cause__, "GPT-2 is not cached, the hub silent"
        why = f"the download of GPT-2 failed: {type(broken).__name__}" if broken else silent
        return TINY, f"the bundled model ({why})"


def _from_hub(name: str, revision: str = "") -> tuple[Path, str]:
    """A model by its id, from the cache if it is there. GPT-2 is pinned, unless only another copy of it can be had."""
    pinned = name == GPT2 and not revision
    wanted = REVISION if pinned else revision or None
    if folder := _cached(name, wanted):
        return folder, f"{name} from the local cache"
    broken = None
    if answers := _hub_answers(name, wanted):
        try:
            return _downloaded(name, wanted), f"{name} from the hub"
        except Exception as error:
            broken = error
    if pinned and (folder := _cached(name, None)):
        return folder, f"{name} from the local cache, of another revision, {folder.name[:7]}"
    if answers:
        raise ValueError(f"source {name!r} could not be downloaded: {broken}") from broken
    raise ValueError(f"source must exist: {name!r} is no folder, not in the local cache, and the hub has no answer")


def _cached(name: str, revision: str | None) -> Path | None:
    """The snapshot in the local cache if it is whole, without a look at the network."""
    for known_as in GPT2_IDS if name == GPT2 else (name,):
        try:
            folder = snapshot_download(known_as, revision=revision, allow_patterns=NEEDED, local_files_only=True)
        except Exception:  # not there, or not readable: both mean that it must be had from elsewhere
            continue
        if _whole(Path(folder)):
            return Path(folder)
    return None


def _whole(folder: Path) -> bool:
    """Whether configuration, tokenizer and every part of the weights are there."""
    index = folder / "model.safetensors.index.json"
    parts = set(json.loads(index.read_text())["weight_map"].values()) if index.exists() else {"model.safetensors"}
    tokenizers = ({"tokenizer.json"}, {"vocab.json", "merges.txt"}, {"tokenizer.model"})
    found = {path.name for path in folder.iterdir()}
    return {"config.json", *parts} <= found and any(files <= found for files in tokenizers)


def _downloaded(name: str, revision: str | None) -> Path:
    return Path(snapshot_download(name, revision=revision, allow_patterns=NEEDED))


def _hub_answers(name: str, revision: str | None) -> bool:
    """Whether the hub knows this model. Asked in a thread, because looking up a name can outlast every time-out."""
    known = []

    def ask():
        try:
            get_hf_file_metadata(hf_hub_url(name, "config.json", revision=revision), timeout=PATIENCE)
            known.append(True)
        except Exception:  # no network, no such model, no access: all the same here
            pass

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return bool(known)


def _read(folder: Path, source: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    if folder == TINY:
        _check_weights()
    safe = {"trust_remote_code": False, "local_files_only": True}
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **safe
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
    except Exception as error:
        raise ValueError(f"source {source!r} is no causal language model that can be read: {error}") from error
    if not tokenizer("a")["input_ids"]:  # without its files, some tokenizers load empty instead of failing
        raise ValueError(f"source {source!r} has no tokenizer that can cut a text: are its files there?")
    if report["missing_keys"]:
        raise ValueError(f"source {source!r} lacks weights of {type(model).__name__}: {sorted(report['missing_keys'])}")
    return model, tokenizer


def _check_weights() -> None:
    found = hashlib.sha256((TINY / "model.safetensors").read_bytes()).hexdigest()
    if found != TINY_SHA256:
        raise ValueError(f"the bundled model's weights are damaged: SHA-256 must be {TINY_SHA256}, got {found}")


@torch.no_grad()
def _check_causal(model: PreTrainedModel, source: str) -> None:
    """A masked language model loads as well, but it sees the tokens that it should predict."""
    model.eval()
    first, second = (model(input_ids=torch.tensor([[1, 2, last]])).logits[:, :2] for last in (3, 4))
    if not torch.allclose(first, second, atol=1e-5):
        raise ValueError(f"source {source!r} is not causal: a later token changes the predictions before it")


def _check_input(model: PreTrainedModel, args: tuple, kwargs: dict) -> None:
    """Before every call: a sentence where the model's own error would say nothing to a reader.

    It looks at shapes alone. To look at the tokens, a GPU would have to be waited for.
    """
    ids = kwargs.get("input_ids", args[0] if args else None)
    if not isinstance(ids, Tensor):  # called with embeddings
        return
    if ids.numel() == 0:
        raise ValueError("input_ids must hold at least one token, got none: the text is empty")
    if ids.is_floating_point():
        raise ValueError(f"input_ids must be whole numbers, got {ids.dtype}")
    context = getattr(model.config, "max_position_embeddings", None) or 0  # 0: it has no limit
    length = ids.shape[-1] + _tokens_before(kwargs.get("past_key_values"))
    if 0 < context < length:
        raise ValueError(f"input_ids must fit into the model's context of {context} tokens, got {length}")


def _tokens_before(cache: object) -> int:
    """How many tokens the keys and values in a cache are of; 0 where it does not say so without a wait."""
    length = cache.get_seq_length() if hasattr(cache, "get_seq_length") else 0
    return length if isinstance(length, int) else 0
