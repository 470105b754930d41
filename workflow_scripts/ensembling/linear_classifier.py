"""The common classifier: an image encoder and a linear head, each with one endpoint or two, averaged at every alpha."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workflow_scripts.common.artifacts import RunHead, load_head
from workflow_scripts.common.devices import autocast
from workflow_scripts.common.encoders import RunEncoder, load_encoder
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.run_files import ENCODER, HEAD
from workflow_scripts.common.settings import Precision
from workflow_scripts.common.weights import StateDict
from workflow_scripts.ensembling.classifier import LinearClip
from workflow_scripts.ensembling.interpolation import interpolate


@dataclass(frozen=True)
class InterpolatedWeights:
    """The interpolated weights of image encoder and head at one alpha."""

    alpha: str
    encoder: StateDict
    head: StateDict

    def to(self, device: torch.device) -> "InterpolatedWeights":
        """Return the same weights with their tensors on a device."""
        encoder = {name: tensor.to(device) for name, tensor in self.encoder.items()}
        return InterpolatedWeights(self.alpha, encoder, {name: tensor.to(device) for name, tensor in self.head.items()})


@dataclass(frozen=True, kw_only=True)
class LinearClassifier:
    """One network, into which the weights of each alpha are swapped in turn."""

    encoder: nn.Module
    grid: tuple[InterpolatedWeights, ...]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    precision: Precision

    @torch.no_grad()
    def logits(self, pictures: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield alpha and logits (batch, classes) of pictures (batch, 3, size, size) in 0..1."""
        inputs = self.preprocessing.normalize(pictures)
        for weights in self.grid:
            with autocast(inputs.device, self.precision):
                features = functional_call(self.encoder, weights.encoder, (inputs,)).float()
            yield weights.alpha, linear_logits(features, weights.head)


@torch.no_grad()
def linear_logits(features: Tensor, head: StateDict) -> Tensor:
    """Return logits (batch, classes) in float32 of features (batch, dimension) that need not be normalized."""
    with torch.autocast(features.device.type, enabled=False):
        normalized = nn.functional.normalize(features, dim=-1)
        return nn.functional.linear(normalized, head["weight"].float(), head["bias"].float())


def load_classifier(
    *,
    clip: Path,
    artifacts: Mapping[str, Path],
    alphas: Sequence[str],
    precision: Precision,
    device: torch.device,
) -> LinearClassifier:
    """Load the classifier at some alphas from a head and, if it was trained, an encoder.

    Raises:
        InputError: a file is missing or damaged, or the tensors do not fit each other.
    """
    head, encoder = load_head(artifacts[HEAD]), load_encoder(clip=clip, encoder=artifacts.get(ENCODER), device=device)
    grid = (InterpolatedWeights(alpha, encoder_at(encoder, alpha), head_at(head, alpha)) for alpha in alphas)
    return LinearClassifier(
        encoder=encoder.module,
        grid=tuple(weights.to(device) for weights in grid),
        classes=head.classes,
        preprocessing=encoder.preprocessing,
        precision=precision,
    )


def linear_clip(*, clip: Path, artifacts: Mapping[str, Path], alpha: str) -> LinearClip:
    """Return encoder and head at one alpha, on the CPU.

    Raises:
        InputError: a file is missing or damaged, or the encoder is a student.
    """
    head = load_head(artifacts[HEAD])
    encoder = load_encoder(clip=clip, encoder=artifacts.get(ENCODER), device=torch.device("cpu"))
    if encoder.pretrained is None:
        raise InputError(f"{artifacts[ENCODER]}: a student is no CLIP; timm loads it as it is")
    return LinearClip(
        encoder=encoder_at(encoder, alpha),
        head=head_at(head, alpha),
        classes=head.classes,
        preprocessing=encoder.preprocessing,
    )


def encoder_at(encoder: RunEncoder, alpha: str) -> StateDict:
    """Return the image encoder's state dict at an alpha; an encoder with one endpoint is the same at every alpha.

    Raises:
        InputError: the encoder has neither endpoint.
    """
    pretrained, finetuned = encoder.pretrained, encoder.finetuned
    if pretrained is not None and finetuned is not None:
        return interpolate(pretrained, finetuned, alpha)
    only = finetuned if pretrained is None else pretrained
    if only is None:
        raise InputError("the run's encoder has no weights; delete its encoder.safetensors and run snakemake again")
    return only


def head_at(head: RunHead, alpha: str) -> StateDict:
    """Return `weight` (classes, dimension) and `bias` (classes) at an alpha, or the only ones."""
    pretrained, finetuned = head.endpoints["pretrained"], head.endpoints.get("finetuned")
    return pretrained if finetuned is None else interpolate(pretrained, finetuned, alpha)
