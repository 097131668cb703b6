"""Loading: where GPT-2 is looked for, what a page shows of it, and what the loaded model refuses."""

import copy
import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.utils import are_progress_bars_disabled
from huggingface_hub.utils import logging as hub_logging
from transformers import DynamicCache, StaticCache
from transformers.utils import logging as transformers_logging

from ppo_helpers.language import load_gpt2, models

pytestmark = pytest.mark.usefixtures("one_thread")
OTHER = "b" * 40  # a revision that is not the pinned one


@pytest.fixture(scope="module")
def tiny():
    return load_gpt2("tiny")


# --- where it is looked for -----------------------------------------------------------------------------------------


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty local cache, a hub that does not answer, and no choice in the environment."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(models, "_hub_answers", lambda *args: False)
    monkeypatch.delenv("PPO_BOOK_GPT2", raising=False)
    return tmp_path


def put_in(cache, name, revision, main=True):
    """The bundled weights in a cache under another model's name, as the hub's client keeps them."""
    repository = cache / f"models--{name.replace('/', '--')}"
    shutil.copytree(models.TINY, repository / "snapshots" / revision)
    (repository / "refs").mkdir()
    if main:
        (repository / "refs" / "main").write_text(revision)


def why(source="auto"):
    """What the printed line says of a source, without the seconds that it takes to read the model."""
    return models._found(source)[1]


def test_the_line_says_where_it_was_found(cache, capsys):
    put_in(cache, "gpt2", models.REVISION)
    load_gpt2()
    assert capsys.readouterr().out == "7.2 million parameters on cpu: openai-community/gpt2 from the local cache\n"


@pytest.mark.parametrize("source", ["auto", "AUTO", "gpt2", "openai-community/gpt2", f"gpt2@{models.REVISION}"])
@pytest.mark.parametrize("name", ["gpt2", "openai-community/gpt2"])
@pytest.mark.parametrize("main", [True, False])
def test_gpt2_is_found_under_both_its_names(cache, name, source, main):
    put_in(cache, name, models.REVISION, main)
    assert why(source) == "openai-community/gpt2 from the local cache"


@pytest.mark.parametrize("source", ["auto", "gpt2"])
def test_the_pinned_revision_goes_before_another(cache, source):
    put_in(cache, "gpt2", OTHER)
    assert why(source) == "openai-community/gpt2 from the local cache, of another revision, bbbbbbb"
    put_in(cache, "openai-community/gpt2", models.REVISION)
    assert why(source) == "openai-community/gpt2 from the local cache"


def test_the_hub_goes_before_another_revision(cache, monkeypatch):
    def broken(name, revision):
        raise OSError("disk is full")

    put_in(cache, "gpt2", OTHER)
    monkeypatch.setattr(models, "_hub_answers", lambda *args: True)
    monkeypatch.setattr(models, "_downloaded", lambda name, revision: models.TINY)
    assert why() == "openai-community/gpt2 from the hub"
    monkeypatch.setattr(models, "_downloaded", broken)
    assert why() == "openai-community/gpt2 from the local cache, of another revision, bbbbbbb"


def test_a_revision_that_is_named_is_the_only_one(cache):
    put_in(cache, "gpt2", OTHER)
    with pytest.raises(ValueError, match=r"source must exist: 'openai-community/gpt2' is no folder, not in the local"):
        load_gpt2(f"gpt2@{'c' * 40}")


@pytest.mark.parametrize("chosen", ["auto", " Auto ", "AUTO", "", "  "])
def test_auto_in_the_environment_is_as_if_unset(cache, monkeypatch, chosen):
    monkeypatch.setenv("PPO_BOOK_GPT2", chosen)
    assert why() == "the bundled model (GPT-2 is not cached, the hub silent)"


@pytest.mark.parametrize("chosen", ["tiny", " Tiny "])
def test_the_environment_names_the_bundled_model(cache, monkeypatch, chosen):
    monkeypatch.setenv("PPO_BOOK_GPT2", chosen)
    assert models._found("auto") == (models.TINY, f"PPO_BOOK_GPT2 is {chosen.strip()}")


# --- what a page shows ----------------------------------------------------------------------------------------------


class Hub(BaseHTTPRequestHandler):
    """A hub with one model, the bundled one, that warns in the way in which the real one does."""

    def do_GET(self):
        if self.path.startswith("/api/"):
            files = [path for path in models.TINY.iterdir() if path.is_file()]
            tree = [{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f.name} for f in files]
            about = {"id": models.GPT2, "sha": models.REVISION, "siblings": [{"rfilename": f.name} for f in files]}
            return self.answer(json.dumps(tree if "/tree/" in self.path else about).encode())
        return self.answer((models.TINY / Path(self.path).name).read_bytes())

    do_HEAD = do_GET

    def answer(self, content):
        self.send_response(200)
        self.send_header("X-HF-Warning", "unauthenticated; You are sending unauthenticated requests to the HF Hub.")
        self.send_header("X-Repo-Commit", models.REVISION)
        self.send_header("ETag", f'"{hash(content)}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.slow
def test_a_first_download_leaves_one_line_on_the_page(hub, tmp_path):
    unset = {"HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_HUB_DISABLE_PROGRESS_BARS", "PPO_BOOK_GPT2"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
    code = "from ppo_helpers.language import load_gpt2; load_gpt2()"
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert run.stdout == "7.2 million parameters on cpu: openai-community/gpt2 from the hub\n"
    assert run.stderr == "" and run.returncode == 0


@pytest.mark.slow
def test_what_was_held_back_may_speak_again(cache):
    def state():
        levels = hub_logging.get_verbosity(), transformers_logging.get_verbosity()
        return *levels, are_progress_bars_disabled(), transformers_logging.is_progress_bar_enabled()

    before = state()
    load_gpt2("tiny")
    with pytest.raises(ValueError, match="source"):
        load_gpt2("no/such-model")
    assert state() == before


# --- devices --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_default_device_of_torch_changes_nothing():
    torch.set_default_device("meta")  # as "cuda": somewhere else than the CPU
    try:
        model, tokenizer = load_gpt2("tiny")
        assert torch.tensor([]).device.type == "meta"
    finally:
        torch.set_default_device(None)
    assert {x.device.type for x in (*model.parameters(), *model.buffers())} == {"cpu"}
    assert torch.isfinite(model(**tokenizer("The food", return_tensors="pt")).logits).all()


@pytest.mark.parametrize(("device", "reason"), [("gpu", "Expected one of cpu"), ("cuda", "PyTorch finds no CUDA GPU")])
def test_a_device_that_is_not_here_is_named_before_anything_is_loaded(monkeypatch, device, reason):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(models, "_found", pytest.fail)
    with pytest.raises(ValueError, match=f"device must be one that is here, .* got '{device}': {reason}"):
        load_gpt2("tiny", device=device)


# --- what the model refuses -----------------------------------------------------------------------------------------


def ids_of(length):
    return torch.arange(length)[None] % 100 + 300


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.zeros(1, 0), "input_ids must hold at least one token, got none: the text is empty"),
        (torch.zeros(1, 0, dtype=torch.long), "input_ids must hold at least one token, got none: the text is empty"),
        (torch.zeros(1, 3), "input_ids must be whole numbers, got torch.float32"),
        (ids_of(101), "input_ids must fit into the model's context of 64 tokens, got 101"),
    ],
)
def test_wrong_ids_are_named_however_the_model_is_called(tiny, ids, message):
    model = tiny[0]
    for each in (model, copy.deepcopy(model)):
        for call in (lambda m: m(ids), lambda m: m(input_ids=ids), lambda m: m(input_ids=ids, use_cache=False)):
            with pytest.raises(ValueError, match=message):
                call(each)


def test_an_empty_text_is_named(tiny):
    model, tokenizer = tiny
    with pytest.raises(ValueError, match="the text is empty"):
        model(**tokenizer("", return_tensors="pt"))


def test_tokens_in_a_cache_count(tiny):
    model = tiny[0]
    past = model(ids_of(60), use_cache=True).past_key_values
    model(input_ids=ids_of(4), past_key_values=past)
    with pytest.raises(ValueError, match="context of 64 tokens, got 65"):
        model(input_ids=ids_of(1), past_key_values=past)


def test_a_whole_context_and_embeddings_pass(tiny):
    model = tiny[0]
    whole = model(ids_of(64)).logits
    embedded = model(inputs_embeds=model.get_input_embeddings()(ids_of(64))).logits
    torch.testing.assert_close(embedded, whole)
    assert model(input_ids=ids_of(3), past_key_values=StaticCache(model.config, 64)).logits.shape == (1, 3, 50257)


def test_a_check_looks_at_shapes_only(tiny):
    """A GPU would have to be waited for to look at the numbers; on ``meta`` there are none to look at."""
    past = DynamicCache()
    past.update(*torch.zeros(2, 1, 4, 60, 8, device="meta"), layer_idx=0)
    ids = torch.zeros(1, 4, dtype=torch.long, device="meta")
    models._check_input(tiny[0], (), {"input_ids": ids, "past_key_values": past})
    with pytest.raises(ValueError, match="got 65"):
        models._check_input(tiny[0], (), {"input_ids": torch.cat([ids, ids[:, :1]], 1), "past_key_values": past})


@pytest.mark.slow
def test_the_model_can_still_write_be_copied_and_be_saved(tiny, tmp_path):
    model, tokenizer = tiny
    options = {"do_sample": False, "max_new_tokens": 5, "pad_token_id": 50256}
    prompt = tokenizer("The food at the", return_tensors="pt")
    written = model.generate(**prompt, **options)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    for other in (copy.deepcopy(model), load_gpt2(tmp_path)[0]):
        assert torch.equal(other.generate(**prompt, **options), written)
    embedded = model.generate(inputs_embeds=model.get_input_embeddings()(prompt["input_ids"]), **options)
    assert torch.equal(embedded, written[:, prompt["input_ids"].shape[1] :])
    with pytest.raises(ValueError, match="context of 64 tokens, got 65"):
        model.generate(
            ids_of(60), attention_mask=torch.ones(1, 60), **(options | {"max_new_tokens": 6, "min_new_tokens": 6})
        )
