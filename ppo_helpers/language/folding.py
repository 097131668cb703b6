"""Work on equal rows of a vocabulary once.

The bundled model has seen 2,865 of GPT-2's 50,257 tokens; the rows of the others are equal to the last bit, so every
layer above them repeats one sum 47,391 times. Folded, the model has each distinct row once and says how many tokens
share it. The distribution over all tokens stays what it was, and so does the gradient. Training is not the same to the
digit: Adam moves a shared row by the sum of what its copies would have felt.
"""

import copy

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel


class FoldedEmbedding(nn.Module):
    """The distinct rows of an embedding, looked up by the tokens of the whole vocabulary.

    Args:
        weight: (V, C) one row per token.
    """

    def __init__(self, weight: Tensor):
        super().__init__()
        distinct, rows, copies = torch.unique(weight.detach(), dim=0, return_inverse=True, return_counts=True)
        self.weight = nn.Parameter(distinct, requires_grad=weight.requires_grad)  # (R, C)
        self.num_embeddings, self.embedding_dim = weight.shape
        by_row = rows.argsort(stable=True)  # tokens, those of a row together
        for name, tensor in (("rows", rows), ("copies", copies), ("by_row", by_row)):
            self.register_buffer(name, tensor, persistent=False)
        self.register_buffer("first", copies.cumsum(dim=0) - copies, persistent=False)  # where a row's tokens begin

    def forward(self, tokens: Tensor) -> Tensor:
        return nn.functional.embedding(self.rows[tokens], self.weight)

    @property
    def log_copies(self) -> Tensor:
        """(R,) log of how many tokens share a row: what its score weighs more than a single token's."""
        return self.copies.to(torch.promote_types(self.weight.dtype, torch.float32)).log()  # 47,392 is no bfloat16

    def tokens_of(self, rows: Tensor, shares: Tensor) -> Tensor:
        """One token of each row.

        Args:
            rows: (B,) rows.
            shares: (B,) numbers in [0, 1): how far down the row's tokens.

        Returns:
            (B,) token ids.
        """
        copies = self.copies[rows]
        return self.by_row[self.first[rows] + (shares * copies).long().clamp(max=copies - 1)]


def fold(model: PreTrainedModel) -> PreTrainedModel:
    """A copy of a model whose equal rows are kept once.

    Args:
        model: with one matrix for what goes in and what comes out (tied), as GPT-2 has. One that is folded already is
            copied as it is.

    Returns:
        The copy, in ``eval`` mode. Its logits are one per distinct row; ``score`` and ``sample`` know that, and nothing
        else does: ``generate`` would take rows for tokens.

    Raises:
        ValueError: if the matrix is not shared, the output has a bias, or the embedding does more than look up a row,
            as one that scales it.
    """
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    if getattr(head, "weight", None) is not embedding.weight or getattr(head, "bias", None) is not None:
        raise ValueError(
            f"model must share its embedding with its output, without a bias; {type(model).__name__} does not"
        )
    if type(embedding) not in (nn.Embedding, FoldedEmbedding) or getattr(embedding, "max_norm", None) is not None:
        raise ValueError(f"model must look its embedding up and do no more, got {embedding}")
    folded = copy.deepcopy(model)
    if not isinstance(embedding, FoldedEmbedding):
        _share(folded, FoldedEmbedding(embedding.weight))
    return folded.eval()


def unfold(folded: PreTrainedModel) -> PreTrainedModel:
    """The ordinary model again: every token with a row of its own.

    Args:
        folded: what :func:`fold` gave, trained or not.

    Returns:
        A copy with the whole vocabulary, in ``eval`` mode, that says the same of every text.

    Raises:
        ValueError: if the model is not folded.
    """
    rows = folded.get_input_embeddings()
    if not isinstance(rows, FoldedEmbedding):
        raise ValueError(f"folded must be a model that fold has made, got an ordinary {type(folded).__name__}")
    model = copy.deepcopy(folded)
    every = rows.weight.detach()[rows.rows]  # (V, C)
    _share(model, nn.Embedding.from_pretrained(every, freeze=not rows.weight.requires_grad))
    return model.eval()


def _share(model: PreTrainedModel, embedding: nn.Module) -> None:
    """Give a model one matrix for what goes in and what comes out."""
    count, width = embedding.weight.shape
    output = nn.Linear(width, count, bias=False, device="meta")  # it needs no weights of its own
    output.weight = embedding.weight
    model.set_input_embeddings(embedding)
    model.set_output_embeddings(output)
