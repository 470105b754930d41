"""Students: timm networks with a linear projection into the embedding space of a CLIP."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import timm
import torch
from torch import Tensor, nn

from workflow_scripts.common.checkpoint_files import TIMM_CONFIG, TIMM_WEIGHTS
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.manifests import verified_model_folder
from workflow_scripts.common.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from workflow_scripts.common.weights import load_weights

_FOREIGN = {"cache_dir", "checkpoint_path", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay"}
"""Arguments of timm's models that load weights from elsewhere, pickles among them."""


class ProjectedStudent(nn.Module):
    """A timm network without its classifier, and a projection: images to embeddings (batch, dimension)."""

    def __init__(self, backbone: nn.Module, *, dimension: int) -> None:
        """Take a network with `num_features` outputs, and the length of the embedding."""
        super().__init__()
        self.backbone = backbone
        features: Any = backbone.num_features
        self.projection = nn.Linear(int(features), dimension)

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, 3, size, size) to (batch, dimension)."""
        projected: Tensor = self.projection(self.backbone(images))
        return projected


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What timm needs to build a network again: its name, its arguments, and the size of its input."""

    name: str
    arguments: dict[str, Any]
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def build(self) -> nn.Module:
        """Return the network without classifier, with fresh weights.

        Raises:
            InputError: timm knows no such network, or not these arguments, or they name further files.
        """
        refused = sorted(_FOREIGN & self.arguments.keys())
        if ":" in self.name or refused:
            what = f"model_args {', '.join(refused)}" if refused else f"architecture {self.name!r}"
            raise InputError(f"student: {what} would read other files or a hub; use a plain architecture of timm")
        try:
            network: nn.Module = timm.create_model(self.name, pretrained=False, num_classes=0, **self.arguments)
        except (RuntimeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"student: timm cannot build {self.name!r} ({reason}); check its {TIMM_CONFIG}") from None
        return network

    def preprocessing(self, kind: Literal["clip", "imagenet"]) -> Preprocessing:
        """Return how the network sees pictures: a square of its own size, under its own or ImageNet's constants.

        VL2V's release uses ImageNet's for every student, also where the checkpoint expects others.

        Args:
            kind: `clip` for its own constants, whatever they are, or `imagenet`.
        """
        mean, std = (IMAGENET_MEAN, IMAGENET_STD) if kind == "imagenet" else (self.mean, self.std)
        return Preprocessing(size=self.size, mean=mean, std=std, resize_mode="squash")


def read_architecture(folder: Path) -> Architecture:
    """Read a folder in timm's own format: `config.json` with `architecture`, `model_args` and `pretrained_cfg`.

    Raises:
        InputError: the configuration is missing or names no architecture.
    """
    try:
        config = json.loads((folder / TIMM_CONFIG).read_text(encoding="utf-8"))
        pretrained = config["pretrained_cfg"]
        return Architecture(
            name=config["architecture"],
            arguments=config.get("model_args", {}),
            size=int(pretrained["input_size"][-1]),
            mean=tuple(pretrained["mean"]),
            std=tuple(pretrained["std"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / TIMM_CONFIG}: not timm's configuration of a model ({error!r})") from None


def load_student(manifest: Path, *, dimension: int, seed: int) -> tuple[ProjectedStudent, Architecture]:
    """Load a pre-trained network from the folder that its manifest names, with a fresh projection.

    Args:
        manifest: manifest of the student's checkpoint.
        dimension: length of the embedding.
        seed: seed of the projection's first weights.

    Raises:
        InputError: a file is missing or damaged, or its tensors do not fit the architecture.
    """
    folder = verified_model_folder(manifest)
    architecture = read_architecture(folder)
    backbone = architecture.build()
    weights, _ = load_weights(folder / TIMM_WEIGHTS)
    missing, unexpected = backbone.load_state_dict(weights, strict=False)
    # The classifier's tensors are left over; where it hangs differs from network to network.
    if missing or len(unexpected) > _CLASSIFIER_TENSORS:
        names = ", ".join([*missing, *unexpected][:5])
        raise InputError(f"{folder / TIMM_WEIGHTS}: weights do not fit {architecture.name}: {names}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ProjectedStudent(backbone, dimension=dimension), architecture


_CLASSIFIER_TENSORS = 4
"""Weight and bias of a classifier, or of two (distilled networks)."""
