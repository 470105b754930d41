"""What a method hands over: a classifier, from pictures to logits, at every alpha that is asked for.

Each method's settings name the module that reads its artifacts (`Method.classifier`). Evaluation and export know that
module's functions and nothing else of the method.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.parts import module_of
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.settings import Precision
from workflow_scripts.common.weights import StateDict


class Classifier(Protocol):
    """A method's classifier at some alphas."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names, in label order."""

    @property
    def preprocessing(self) -> Preprocessing:
        """Return how it sees pictures; its geometry has been applied to what `logits` is given."""

    def logits(self, pictures: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield each alpha, in the order that was asked for, with logits (batch, classes) in float32.

        Args:
            pictures: (batch, 3, size, size) in 0..1, on the classifier's device.
        """


@dataclass(frozen=True, kw_only=True)
class LinearClip:
    """A CLIP's image encoder and a head at one alpha: what plain open_clip can carry."""

    encoder: StateDict
    head: StateDict
    """`weight` (classes, dimension) and `bias` (classes)."""
    classes: tuple[str, ...]
    preprocessing: Preprocessing


class ClassifierModule(Protocol):
    """A module that reads a method's artifacts, which come by the names that the method's settings list."""

    def load_classifier(
        self,
        *,
        clip: Path,
        artifacts: Mapping[str, Path],
        alphas: Sequence[str],
        precision: Precision,
        device: torch.device,
    ) -> Classifier:
        """Return the classifier at some alphas. Raises InputError where a file is missing or does not fit."""

    def linear_clip(self, *, clip: Path, artifacts: Mapping[str, Path], alpha: str) -> LinearClip:
        """Return encoder and head at one alpha; only of a method that says it can be exported."""


def classifier_module(name: str, *, needed: str) -> ClassifierModule:
    """Return the module of a name below this package, as in `ensembling.linear_classifier`.

    Args:
        name: the module.
        needed: its function that will be called.

    Raises:
        InputError: there is no such module, or it lacks the function.
    """
    module = module_of(name)
    if not hasattr(module, needed):
        raise InputError(f"{name}: has no {needed}(), which the method's settings class promises")
    return cast(ClassifierModule, module)
