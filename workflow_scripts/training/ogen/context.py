"""OGEN's artifact: both endpoints of the context, and what its text features need to be made again."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.weights import load_weights, save_weights


@dataclass(frozen=True, kw_only=True)
class LearnedContext:
    """Context vectors before and after the training, shared (length, width) or of each class (classes, length, width).

    `words` are those that the context started with, `classes` the names behind it, in label order.
    """

    pretrained: Tensor
    finetuned: Tensor
    words: str
    classes: tuple[str, ...]


def save_context(path: Path, context: LearnedContext, *, identity: Mapping[str, Any]) -> None:
    """Write a learned context, and what made it."""
    tensors = {"pretrained.context": context.pretrained, "finetuned.context": context.finetuned}
    described = {"words": context.words, "classes": list(context.classes)}
    save_weights(path, tensors, metadata={**identity, **described})


def load_context(path: Path) -> LearnedContext:
    """Read a learned context.

    Raises:
        InputError: the file is unreadable or holds something else.
    """
    tensors, metadata = load_weights(path)
    if not {"pretrained.context", "finetuned.context"} <= tensors.keys() or not {"words", "classes"} <= metadata.keys():
        raise InputError(f"{path}: holds no context; delete it and run snakemake again")
    return LearnedContext(
        pretrained=tensors["pretrained.context"],
        finetuned=tensors["finetuned.context"],
        words=metadata["words"],
        classes=tuple(metadata["classes"]),
    )
