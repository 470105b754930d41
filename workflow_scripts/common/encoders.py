"""The image encoder of a run: its CLIP's, trained or not, or a student's; as its own file describes it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workflow_scripts.common.clip import Clip, load_clip
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.preprocessing import Preprocessing, preprocessing_from_dict
from workflow_scripts.common.students import Architecture, ProjectedStudent
from workflow_scripts.common.weights import StateDict, load_weights, save_weights, verify_same_tensors


@dataclass(frozen=True, kw_only=True)
class RunEncoder:
    """An encoder's network, how it sees pictures, and the endpoints of its weights.

    `pretrained` is None for a network without a pre-trained endpoint in the same space (a student with its
    projection); `finetuned` is None where the encoder was not trained.
    """

    module: nn.Module
    preprocessing: Preprocessing
    pretrained: StateDict | None
    finetuned: StateDict | None


def encoder_metadata(preprocessing: Preprocessing, *, student: Architecture | None = None) -> dict[str, Any]:
    """Return what a trained encoder's file says of itself: how it sees pictures, and which network it is."""
    metadata: dict[str, Any] = {"preprocessing": preprocessing.as_dict()}
    return metadata if student is None else {**metadata, "student": asdict(student)}


def save_encoder(path: Path, tensors: StateDict, *, metadata: dict[str, Any], identity: dict[str, Any]) -> None:
    """Write the fine-tuned endpoint of an encoder, what describes it (`encoder_metadata`), and what made it."""
    save_weights(path, tensors, metadata={"alpha": "1.00", "encoder": metadata, **identity})


def load_encoder(*, clip: Path, encoder: Path | None, device: torch.device) -> RunEncoder:
    """Load the encoder of a run.

    Args:
        clip: manifest of the run's CLIP, whose image encoder is the pre-trained endpoint.
        encoder: the trained encoder, or None if it was not trained.
        device: where the network goes; state dicts stay on the CPU.

    Raises:
        InputError: a file is missing or damaged, or its tensors do not fit the network.
    """
    finetuned, metadata = (None, {}) if encoder is None else load_weights(encoder)
    described = metadata.get("encoder", {})
    if "student" in described:
        return _student(described, finetuned or {}, what=str(encoder), device=device)
    loaded_clip = load_clip(clip, device=device)
    pretrained = {name: tensor.detach().cpu() for name, tensor in loaded_clip.visual.state_dict().items()}
    if finetuned is not None:
        verify_same_tensors(pretrained, finetuned, what=str(encoder))
    return RunEncoder(
        module=loaded_clip.visual,
        preprocessing=_preprocessing(loaded_clip, described),
        pretrained=pretrained,
        finetuned=finetuned,
    )


def _preprocessing(clip: Clip, described: dict[str, Any]) -> Preprocessing:
    return preprocessing_from_dict(described["preprocessing"]) if "preprocessing" in described else clip.preprocessing


def _student(described: dict[str, Any], finetuned: StateDict, *, what: str, device: torch.device) -> RunEncoder:
    if "projection.weight" not in finetuned:
        raise InputError(f"{what}: holds no projection; delete it and run snakemake again")
    backbone = Architecture(**described["student"]).build()
    module = ProjectedStudent(backbone, dimension=len(finetuned["projection.weight"])).eval()
    verify_same_tensors(module.state_dict(), finetuned, what=what)
    return RunEncoder(
        module=module.to(device),
        preprocessing=preprocessing_from_dict(described["preprocessing"]),
        pretrained=None,
        finetuned=finetuned,
    )
