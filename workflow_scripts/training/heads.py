"""The zero-shot head, the classifier that carries it, and its rows that are trained."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from workflow_scripts.common.clip import Clip
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.parquet import read_parquet
from workflow_scripts.common.weights import StateDict


def zero_shot_head(features: Sequence[Tensor], *, scale: float) -> Tensor:
    """Return W_0 = exp(logit scale) * t, with t_c the normalized mean of class c's normalized text features.

    Args:
        features: per class, text features of shape (sentences, dimension), normalized or not.
        scale: exp(logit scale), 100 for OpenAI's CLIP.

    Returns:
        Class weights of shape (classes, dimension); every row's norm is `scale`.
    """
    means = [nn.functional.normalize(each, dim=-1).mean(dim=0) for each in features]
    return scale * nn.functional.normalize(torch.stack(means), dim=-1)


def read_head_prompts(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return class names in label order, and the sentences of each.

    Raises:
        InputError: the table is unreadable or empty.
    """
    columns = ["label", "class_name", "prompt"]
    rows = read_parquet(path, what="table of head prompts", columns=columns).to_pylist()
    if not rows:
        raise InputError(f"{path}: holds no prompt; delete it and run snakemake again")
    labels = sorted({row["label"] for row in rows})
    names = {row["label"]: row["class_name"] for row in rows}
    return [names[k] for k in labels], [[row["prompt"] for row in rows if row["label"] == k] for k in labels]


def encode_head(clip: Clip, sentences: Sequence[Sequence[str]]) -> Tensor:
    """Return the zero-shot head of a CLIP, on its device, from the sentences of each class; each is encoded once."""
    distinct = list(dict.fromkeys(text for each in sentences for text in each))
    place = {text: number for number, text in enumerate(distinct)}
    features = clip.encode_texts(distinct)
    return zero_shot_head([features[[place[text] for text in each]] for each in sentences], scale=clip.scale)


class LinearHead(nn.Module):
    """Class weights over normalized features: logits = (z / |z|) W^T + b, with the logit scale folded into W."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """Take class weights (classes, dimension) and a bias (classes), zero if None."""
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.bias = nn.Parameter(torch.zeros(len(weight)) if bias is None else bias.detach().clone())

    def forward(self, features: Tensor) -> Tensor:
        """Map un-normalized features (batch, dimension) to logits (batch, classes)."""
        return nn.functional.linear(nn.functional.normalize(features, dim=-1), self.weight, self.bias)


class ImageClassifier(nn.Module):
    """An image encoder with a head; returns features and logits, so that a loss can see both views."""

    def __init__(self, encoder: nn.Module, head: LinearHead) -> None:
        """Take an encoder that maps (batch, 3, size, size) to un-normalized features, and a head."""
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return un-normalized features (batch, dimension) and logits (batch, classes), both in float32."""
        features = self.encoder(images).float()
        with torch.autocast(images.device.type, enabled=False):
            return features, self.head(features)


def trained_rows(head: StateDict, base: tuple[int, ...] | None) -> StateDict:
    """Return the rows of the zero-shot head that are parameters: all, or those of the base classes."""
    return head if base is None else {name: tensor[list(base)] for name, tensor in head.items()}


def whole_head(start: StateDict, trained: StateDict, base: tuple[int, ...] | None) -> StateDict:
    """Return the head over all classes; rows that were no parameters stay zero-shot, bit by bit."""
    if base is None:
        return trained
    whole = {name: tensor.clone() for name, tensor in start.items()}
    for name, tensor in trained.items():
        whole[name][list(base)] = tensor.detach().cpu()
    return whole
