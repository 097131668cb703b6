"""The text of single tokens: nothing is lost, and no part of a character is shown as a placeholder."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from ppo_helpers.language import models, token_text

TOKENIZER = AutoTokenizer.from_pretrained(models.TINY)


def pieces(text):
    return [token_text(TOKENIZER, i) for i in TOKENIZER(text)["input_ids"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The food was naïve", ["The", " food", " was", " naïve"]),
        ("שלום 🦖", ["ש", "ל", "ו", "<0xD7>", "<0x9D>", " <0xF0><0x9F>", "<0xA6>", "<0x96>"]),
        ("你好", ["<0xE4><0xBD>", "<0xA0>", "<0xE5><0xA5>", "<0xBD>"]),
        ("a\ufffd", ["a", "<0xEF><0xBF><0xBD>"]),  # a placeholder that stands in the text itself
        ("<0x41>", ["<", "0", "x", "41", ">"]),
    ],
)
def test_parts_of_characters_are_shown_as_bytes(text, expected):
    assert pieces(text) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="<", exclude_categories=("Cs",))))
def test_the_pieces_hold_every_byte_of_the_text(text):
    joined = re.sub("<0x(..)>", lambda found: chr(0xDC00 + int(found[1], 16)), "".join(pieces(text)))
    assert joined.encode("utf-8", "surrogateescape").decode() == text


def test_no_token_is_a_placeholder():
    assert not any("\ufffd" in token_text(TOKENIZER, i) for i in range(len(TOKENIZER)))
    assert token_text(TOKENIZER, 50256) == "<|endoftext|>" and token_text(TOKENIZER, 99999) == ""


def test_a_tokenizer_that_is_not_made_of_bytes_is_decoded():
    """As SentencePiece's: spaces are ▁, and a byte is a token of its own."""
    vocabulary = {"▁food": 0, "<0xD7>": 1, "<0x9D>": 2, "x\ufffd▁": 3}
    made = Tokenizer(BPE(vocabulary, [], byte_fallback=True))
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made)
    assert "\ufffd" in tokenizer.decode([1])
    assert [token_text(tokenizer, i) for i in range(4)] == [" food", "<0xD7>", "<0x9D>", "x\ufffd "]
