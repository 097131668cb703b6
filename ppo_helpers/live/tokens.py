"""Tokens as live figures show them."""

PART = "⟨part of a character⟩"  # for readers, instead of the placeholder that decoding puts there


def readable(piece: str) -> str:
    """A token's text, in which parts of a character are named. ``token_text`` shows their bytes."""
    return piece.replace("\N{REPLACEMENT CHARACTER}", PART)
