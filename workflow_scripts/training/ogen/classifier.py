"""OGEN's classifier: CLIP's own image encoder, and text features of the class names behind the averaged context."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from workflow_scripts.common.clip import Clip, load_clip
from workflow_scripts.common.devices import autocast
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.settings import Precision
from workflow_scripts.common.weights import StateDict
from workflow_scripts.ensembling.classifier import LinearClip
from workflow_scripts.ensembling.interpolation import interpolate
from workflow_scripts.ensembling.linear_classifier import linear_logits
from workflow_scripts.training.heads import LinearHead
from workflow_scripts.training.ogen.context import LearnedContext, load_context
from workflow_scripts.training.ogen.prompt_learner import PromptLearner
from workflow_scripts.training.ogen.settings import CONTEXT

_SHARED = 2
"""Dimensions of a context that all classes share."""


@dataclass(frozen=True, kw_only=True)
class PromptClassifier:
    """A frozen image encoder, which sees every picture once, and a head per alpha."""

    clip: Clip
    heads: dict[str, StateDict]
    classes: tuple[str, ...]
    precision: Precision

    @property
    def preprocessing(self) -> Preprocessing:
        """Return CLIP's own."""
        return self.clip.preprocessing

    @torch.no_grad()
    def logits(self, pictures: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield alpha and logits (batch, classes) of pictures (batch, 3, size, size) in 0..1."""
        inputs = self.preprocessing.normalize(pictures)
        with autocast(inputs.device, self.precision):
            features = self.clip.visual(inputs).float()
        for alpha, head in self.heads.items():
            yield alpha, linear_logits(features, head)


def load_classifier(
    *,
    clip: Path,
    artifacts: Mapping[str, Path],
    alphas: Sequence[str],
    precision: Precision,
    device: torch.device,
) -> PromptClassifier:
    """Load the classifier at some alphas from a learned context.

    Raises:
        InputError: a file is missing or damaged.
    """
    loaded, context = load_clip(clip, device=device), load_context(artifacts[CONTEXT])
    heads = {
        alpha: {name: tensor.to(device) for name, tensor in head.items()}
        for alpha, head in zip(alphas, heads_at(loaded, context, alphas), strict=True)
    }
    return PromptClassifier(clip=loaded, heads=heads, classes=context.classes, precision=precision)


def linear_clip(*, clip: Path, artifacts: Mapping[str, Path], alpha: str) -> LinearClip:
    """Return CLIP's own encoder and the head at one alpha, on the CPU.

    Raises:
        InputError: a file is missing or damaged.
    """
    loaded, context = load_clip(clip, device=torch.device("cpu")), load_context(artifacts[CONTEXT])
    return LinearClip(
        encoder=dict(loaded.visual.state_dict()),
        head=next(heads_at(loaded, context, [alpha])),
        classes=context.classes,
        preprocessing=loaded.preprocessing,
    )


@torch.no_grad()
def heads_at(clip: Clip, context: LearnedContext, alphas: Sequence[str]) -> Iterator[StateDict]:
    """Yield the head at each alpha: the text tower on the averaged context, with the logit scale in its weights."""
    shared = context.pretrained.ndim == _SHARED
    kind: Literal["shared", "class-specific"] = "shared" if shared else "class-specific"
    learner = PromptLearner(clip, context.classes, words=context.words, context=kind)
    for alpha in alphas:
        vectors = interpolate({"context": context.pretrained}, {"context": context.finetuned}, alpha)["context"]
        text = learner.encode(clip, vectors.to(clip.device)).cpu()
        yield LinearHead(clip.scale * text).state_dict()
