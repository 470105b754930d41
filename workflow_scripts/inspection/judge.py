"""A judge: a network of timm that tells real pictures of the classes apart, asked what other pictures show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import timm
import torch
from torch import nn

from workflow_scripts.common.checkpoint_files import TIMM_WEIGHTS
from workflow_scripts.common.checkpoint_layout import label_names
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.manifests import verified_model_folder
from workflow_scripts.common.preprocessing import Preprocessing, unit_pixels
from workflow_scripts.common.students import Architecture, read_architecture
from workflow_scripts.common.weights import load_weights, verify_same_tensors


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A network in evaluation mode, and which of its outputs stand for the classes."""

    network: nn.Module
    columns: tuple[int, ...]
    preprocessing: Preprocessing
    device: torch.device

    @torch.no_grad()
    def probabilities(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return how likely each class is, among the classes, (pictures, classes).

        Args:
            pixels: pictures as `preprocessing.geometry` makes them, (pictures, size, size, 3).
        """
        inputs = self.preprocessing.normalize(unit_pixels(torch.from_numpy(pixels), self.device))
        logits = self.network(inputs)[:, list(self.columns)]
        result: npt.NDArray[np.float32] = logits.float().softmax(dim=-1).cpu().numpy()
        return result


def load_judge(manifest: Path, classes: Sequence[str], *, device: torch.device) -> Judge:
    """Load a network with its classifier from the folder that its manifest names.

    Raises:
        InputError: a file is missing or damaged, its tensors do not fit, or it does not know a class.
    """
    folder = verified_model_folder(manifest)
    architecture = read_architecture(folder)
    names = label_names(folder)
    if unknown := [name for name in classes if name not in names]:
        raise InputError(
            f"{folder}: does not know {', '.join(map(repr, unknown[:5]))}; go without a judge, or train one"
        )
    weights, _ = load_weights(folder / TIMM_WEIGHTS)
    network = _built(architecture, outputs=len(names))
    verify_same_tensors(network.state_dict(), weights, what=str(folder / TIMM_WEIGHTS))
    network.load_state_dict(weights)
    size, mean, std = architecture.size, architecture.mean, architecture.std
    return Judge(
        network=network.eval().to(device),
        columns=tuple(names.index(name) for name in classes),
        preprocessing=Preprocessing(size=size, mean=mean, std=std, resize_mode="squash"),
        device=device,
    )


def _built(architecture: Architecture, *, outputs: int) -> nn.Module:
    # It refuses what reads other files, and names what timm does not know.
    architecture.build()
    network: nn.Module = timm.create_model(
        architecture.name, pretrained=False, num_classes=outputs, **architecture.arguments
    )
    return network
