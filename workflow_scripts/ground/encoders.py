"""The image encoder of a run: its CLIP's, trained or not, or a student's; as its own file describes it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workflow_scripts.ground.clip import Clip, load_clip
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.preprocessing import Preprocessing, from_record
from workflow_scripts.ground.students import Architecture, ProjectedStudent
from workflow_scripts.ground.weights import StateDict, check_same_tensors, load_weights, save_weights


@dataclass(frozen=True, kw_only=True)
class RunEncoder:
    """An encoder's network, how it sees pictures, and the ends of its weights.

    `pretrained` is None for a network that has no pre-trained end in the same space (a student with its projection);
    `trained` is None where the encoder was not trained.
    """

    module: nn.Module
    preprocessing: Preprocessing
    pretrained: StateDict | None
    trained: StateDict | None


def encoder_metadata(preprocessing: Preprocessing, *, student: Architecture | None = None) -> dict[str, Any]:
    """Return what a trained encoder's file says of itself: how it sees pictures, and which network it is."""
    metadata: dict[str, Any] = {"preprocessing": preprocessing.record()}
    return metadata if student is None else {**metadata, "student": asdict(student)}


def save_encoder(path: Path, tensors: StateDict, *, metadata: dict[str, Any], identity: dict[str, Any]) -> None:
    """Write the trained end of an encoder, what describes it (`encoder_metadata`), and what made it."""
    save_weights(path, tensors, metadata={"alpha": "1.00", "encoder": metadata, **identity})


def load_encoder(*, clip: Path, encoder: Path | None, device: torch.device) -> RunEncoder:
    """Load the encoder of a run.

    Args:
        clip: manifest of the run's CLIP, whose image encoder is the pre-trained end.
        encoder: the trained encoder, or None if it was not trained.
        device: where the network goes; state dicts stay on the CPU.

    Raises:
        InputError: a file is missing or damaged, or its tensors do not fit the network.
    """
    trained, metadata = (None, {}) if encoder is None else load_weights(encoder)
    described = metadata.get("encoder", {})
    if "student" in described:
        return _student(described, trained or {}, what=str(encoder), device=device)
    found = load_clip(clip, device=device)
    pretrained = {name: tensor.detach().cpu() for name, tensor in found.visual.state_dict().items()}
    if trained is not None:
        check_same_tensors(pretrained, trained, what=str(encoder))
    return RunEncoder(
        module=found.visual, preprocessing=_seen(found, described), pretrained=pretrained, trained=trained
    )


def _seen(clip: Clip, described: dict[str, Any]) -> Preprocessing:
    return from_record(described["preprocessing"]) if "preprocessing" in described else clip.preprocessing


def _student(described: dict[str, Any], trained: StateDict, *, what: str, device: torch.device) -> RunEncoder:
    if "projection.weight" not in trained:
        raise InputError(f"{what}: holds no projection; delete it and run snakemake again")
    backbone = Architecture(**described["student"]).build()
    module = ProjectedStudent(backbone, dimension=len(trained["projection.weight"])).eval()
    check_same_tensors(module.state_dict(), trained, what=what)
    return RunEncoder(
        module=module.to(device),
        preprocessing=from_record(described["preprocessing"]),
        pretrained=None,
        trained=trained,
    )
