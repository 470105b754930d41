"""Prompt learning: context vectors in front of class names, through a frozen text tower (CoOp, arXiv 2109.01134)."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from open_clip.transformer import text_global_pool
from torch import Tensor, nn

from workflow_scripts.common.clip import Clip
from workflow_scripts.common.errors import InputError


class PromptLearner(nn.Module):
    """Context vectors, the only parameters, shared by all classes (length, width) or of each (classes, length, width).

    The sentence of a class is its context, its name and a full stop. With the initial context the text features are
    exactly those of "a photo of a NAME.".
    """

    def __init__(
        self, clip: Clip, names: Sequence[str], *, words: str, context: Literal["shared", "class-specific"]
    ) -> None:
        """Take a CLIP, class names, the words that the context starts with, and whether classes share it.

        Raises:
            InputError: a sentence is longer than the text tower reads, or there are no words.
        """
        super().__init__()
        tower = text_tower(clip)
        tokens = clip.tokenizer([f"{words} {name}." for name in names])
        self.length = context_length(clip, words)
        _validate_lengths(clip, words, names)
        with torch.no_grad():
            token_embeddings = tower.token_embedding(tokens.to(clip.device)).float()
        start = token_embeddings[:, 1 : 1 + self.length]
        self.context = nn.Parameter(start[0].clone() if context == "shared" else start.clone())
        self.register_buffer("token_embeddings", token_embeddings, persistent=False)
        self.register_buffer("tokens", tokens.to(clip.device), persistent=False)

    def sentences(self, context: Tensor | None = None) -> Tensor:
        """Return token embeddings (classes, tokens, width) with the context in its place."""
        token_embeddings: Any = self.token_embeddings
        vectors = self.context if context is None else context
        expanded = vectors.expand(len(token_embeddings), -1, -1) if vectors.ndim == _SHARED else vectors
        return torch.cat([token_embeddings[:, :1], expanded, token_embeddings[:, 1 + self.length :]], dim=1)

    def encode(self, clip: Clip, context: Tensor | None = None) -> Tensor:
        """Return L2-normalized text features (classes, dimension) in float32, differentiable in the context."""
        tokens: Any = self.tokens
        return encode_token_embeddings(clip, self.sentences(context), tokens)


_SHARED = 2
"""Dimensions of a context that all classes share."""


def text_tower(clip: Clip) -> Any:
    """Return the module that holds the text tower: of its own in some of open_clip's models, the model in others."""
    return getattr(clip.model, "text", clip.model)


def context_length(clip: Clip, words: str) -> int:
    """Return how many tokens the context's words have.

    Raises:
        InputError: there are none.
    """
    length = _tokens(clip, words)
    if length < 1:
        raise InputError("context_words: empty; give words such as 'a photo of a'")
    return length


def _tokens(clip: Clip, text: str) -> int:
    # Those before the mark of the end, without that of the start. The end has the highest number, by which CLIP finds
    # it; behind it some tokenizers pad with 0, others with the end again.
    return int(clip.tokenizer([text])[0].argmax()) - 1


def _validate_lengths(clip: Clip, words: str, names: Sequence[str]) -> None:
    room = int(clip.tokenizer([""]).shape[1]) - 2
    for name in names:
        # The tokenizer cuts what does not fit, and with it the sentence's end: counted in parts, nothing is cut.
        needed = _tokens(clip, words) + _tokens(clip, name) + 1
        if needed > room:
            raise InputError(f"class {name!r}: {needed} tokens with its context, the text tower reads {room}")


def encode_token_embeddings(clip: Clip, token_embeddings: Tensor, tokens: Tensor) -> Tensor:
    """Return L2-normalized text features (texts, dimension) of token embeddings (texts, tokens, width).

    The same as open_clip's `encode_text` after its embedding layer; `tokens` say where each text ends.
    """
    tower = text_tower(clip)
    hidden = token_embeddings + tower.positional_embedding[: token_embeddings.shape[1]]
    hidden = tower.ln_final(tower.transformer(hidden, attn_mask=tower.attn_mask))
    pooling = getattr(tower, "text_pool_type", None) or tower.pool_type
    end = getattr(tower, "text_eos_id", None) or getattr(tower, "eos_id", None)
    pooled = text_global_pool(hidden, tokens, pooling, eos_token_id=end)
    projection = tower.text_projection
    if isinstance(projection, nn.Linear):
        pooled = projection(pooled)
    elif projection is not None:
        pooled = pooled @ projection
    return nn.functional.normalize(pooled.float(), dim=-1)
