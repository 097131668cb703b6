"""Loading GPT-2: the real one where it can be had, the bundled small one everywhere else."""

import hashlib
import json
import os
import re
import threading
from pathlib import Path

import torch
from huggingface_hub import get_hf_file_metadata, hf_hub_url, snapshot_download
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

TINY = Path(__file__).parent / "tiny_gpt2"
TINY_SHA256 = "4d0ce45e6a88ee70d9203c9a8573bd59e464cc3f48e25c73fce1c3f86545c141"
GPT2 = "openai-community/gpt2"
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
        device: where the model shall live; the CPU if None.

    Returns:
        The model, in float32 and in ``eval`` mode, and its tokenizer.

    Raises:
        ValueError: if the source does not exist, cannot be read, or is not a causal language model.
    """
    folder, why = _found(str(source))
    model, tokenizer = _read(folder, str(source))
    _check_causal(model, str(source))
    model = model.to(device or "cpu").eval()  # with dropout, the ratio would not be 1 at the first epoch
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    print(f"{millions:.1f} million parameters on {model.device}: {why}")
    return model, tokenizer


def _found(source: str) -> tuple[Path, str]:
    """The folder a source stands for, and why it was taken."""
    if source == "auto":
        if chosen := os.environ.get("PPO_BOOK_GPT2"):
            return _found(chosen)[0], f"PPO_BOOK_GPT2 is {chosen}"
        return _real_or_tiny()
    if source == "tiny":
        return TINY, "the bundled model, as asked"
    if source and Path(source).expanduser().is_dir():
        return Path(source).expanduser(), "from a folder"
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?(@\w[\w.-]*)?", source):
        raise ValueError(f"source must be 'auto', 'tiny', a folder or a hub id, got {source!r}, which is none of them")
    name, _, revision = source.partition("@")
    return _from_hub(name, revision or (REVISION if name == GPT2 else None))


def _real_or_tiny() -> tuple[Path, str]:
    if folder := _cached(GPT2, REVISION):
        return folder, f"{GPT2} from the local cache"
    if _hub_answers(GPT2, REVISION):
        try:
            return _downloaded(GPT2, REVISION), f"{GPT2} from the hub"
        except Exception as error:  # whatever breaks a download, there is a model to go on with
            return TINY, f"the bundled model (the download of GPT-2 failed: {type(error).__name__})"
    return TINY, "the bundled model (GPT-2 is not cached, the hub silent)"


def _from_hub(name: str, revision: str | None) -> tuple[Path, str]:
    """A model by its id, from the cache if it is there."""
    if folder := _cached(name, revision):
        return folder, f"{name} from the local cache"
    if not _hub_answers(name, revision):
        raise ValueError(f"source must exist: {name!r} is no folder, not in the local cache, and the hub has no answer")
    try:
        return _downloaded(name, revision), f"{name} from the hub"
    except Exception as error:
        raise ValueError(f"source {name!r} could not be downloaded: {error}") from error


def _cached(name: str, revision: str | None) -> Path | None:
    """The snapshot in the local cache if it is whole, without a look at the network."""
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=NEEDED, local_files_only=True))
    except Exception:  # not there, or not readable: both mean that it must be had from elsewhere
        return None
    return folder if _whole(folder) else None


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
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # one line says it all
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **safe
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
    except Exception as error:
        raise ValueError(f"source {source!r} is no causal language model that can be read: {error}") from error
    finally:
        if bars:
            logging.enable_progress_bar()
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
