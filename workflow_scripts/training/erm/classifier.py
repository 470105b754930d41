"""ERM's classifier: the student itself, whose outputs are the classes; there is nothing to average it with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from workflow_scripts.common.devices import autocast
from workflow_scripts.common.encoders import load_encoder
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.run_files import ENCODER
from workflow_scripts.common.settings import Precision
from workflow_scripts.common.weights import load_weights

CLASSES = "classes"
"""Key of the artifact's description: class names, in label order."""


@dataclass(frozen=True, kw_only=True)
class StudentClassifier:
    """A student with its linear classifier, which is the same at every alpha."""

    network: nn.Module
    alphas: tuple[str, ...]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    precision: Precision

    @torch.no_grad()
    def logits(self, pictures: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield alpha and logits (batch, classes) of pictures (batch, 3, size, size) in 0..1."""
        with autocast(pictures.device, self.precision):
            values = self.network(self.preprocessing.normalize(pictures)).float()
        for alpha in self.alphas:
            yield alpha, values


def load_classifier(
    *,
    clip: Path,
    artifacts: Mapping[str, Path],
    alphas: Sequence[str],
    precision: Precision,
    device: torch.device,
) -> StudentClassifier:
    """Load the trained student.

    Raises:
        InputError: the file is missing or damaged, or names no classes.
    """
    path = artifacts[ENCODER]
    student = load_encoder(clip=clip, encoder=path, device=device)
    classes = load_weights(path)[1]["encoder"].get(CLASSES)
    if classes is None or student.finetuned is None:
        raise InputError(f"{path}: names no classes; delete it and run snakemake again")
    student.module.load_state_dict(student.finetuned)
    return StudentClassifier(
        network=student.module,
        alphas=tuple(alphas),
        classes=tuple(classes),
        preprocessing=student.preprocessing,
        precision=precision,
    )
