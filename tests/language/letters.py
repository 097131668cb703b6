"""A language small enough for many trainings in one test: single letters, and a GPT-2 of a few hundred weights."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel

SIZES = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 24}
DROPOUTS = ("attn_pdrop", "embd_pdrop", "resid_pdrop")


class Letters:
    """A tokenizer of a … z, the blank, and an end."""

    text = "abcdefghijklmnopqrstuvwxyz "
    eos_token_id, pad_token_id = len(text), None

    def __len__(self):
        return len(self.text) + 1

    def __call__(self, text, add_special_tokens=True):
        return {"input_ids": [self.text.index(letter) for letter in text]}

    def decode(self, tokens):
        return "".join(self.text[int(token)] for token in tokens)


def small_gpt2(seed=0, vocabulary=28, dropout=0.0, **sizes):
    """Random weights, large enough that the letters are not equally likely."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        given = SIZES | dict.fromkeys(DROPOUTS, dropout) | {"initializer_range": 0.4} | sizes
        config = GPT2Config(vocab_size=vocabulary, bos_token_id=None, eos_token_id=None, **given)
        return GPT2LMHeadModel(config).eval()


def with_equal_rows(model):
    """The same model, but q … z share a row, and so do b and c."""
    with torch.no_grad():
        rows = model.get_input_embeddings().weight
        rows[17:26], rows[2] = rows[16].clone(), rows[1].clone()
    return model
