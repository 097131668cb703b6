"""The text of a single token, of which some hold only a part of a character."""

from transformers import PreTrainedTokenizerBase

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def token_text(tokenizer: PreTrainedTokenizerBase, token: int) -> str:
    """The text of one token, in which bytes that are only a part of a character are written as ``<0xD7>``.

    GPT-2 cuts texts into bytes. A letter of Hebrew or Chinese and an emoji are several bytes, and the cut may run
    between them. ``decode`` shows the same placeholder, U+FFFD, for every such part.

    Args:
        tokenizer: any; where its tokens are not made of bytes, the text is that of ``decode``.
        token: a token's id.

    Returns:
        The text, empty for an id that the tokenizer does not know.

    Source:
        Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2.
    """
    text = tokenizer.decode([int(token)])
    piece = tokenizer.convert_ids_to_tokens(int(token)) if REPLACEMENT in text else None
    if piece is None or any(letter not in BYTES for letter in piece):
        return text  # not made of bytes
    parts = bytes(BYTES[letter] for letter in piece).decode("utf-8", errors="surrogateescape")
    return "".join(map(_shown, parts))


def _shown(letter: str) -> str:
    """A letter, or the byte that ``surrogateescape`` kept because it belongs to no letter."""
    if letter == REPLACEMENT:  # a real one, from a text that was damaged before: as its bytes, to be told apart
        return "".join(f"<0x{byte:02X}>" for byte in letter.encode())
    return f"<0x{ord(letter) - 0xDC00:02X}>" if "\udc80" <= letter <= "\udcff" else letter


def _byte_letters() -> dict[str, int]:
    """The byte that each letter of GPT-2's vocabulary stands for: printable ones themselves, the others from Ā on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


BYTES = _byte_letters()
