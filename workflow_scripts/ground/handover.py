"""What a method hands over to averaging and evaluation: files, not code.

A run's folder holds `class_weights.safetensors` and, if the image encoder was trained, `model.safetensors`.

- `model.safetensors`: the trained end of the image encoder, tensor names as in open_clip's `model.visual`. Its
  pre-trained end is the CLIP checkpoint. Without the file the encoder is the pre-trained one at every alpha. A
  student's file holds a whole network instead, which its metadata describes (`ground.encoders`); it has one end.
- `class_weights.safetensors`: either `pretrained.weight`, `pretrained.bias` and, if they were trained,
  `trained.weight`, `trained.bias`, which are averaged linearly; or `at.ALPHA.weight`, `at.ALPHA.bias` per alpha.
  Weights have shape (classes, dimension) and carry the logit scale; biases have shape (classes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.weights import StateDict, load_weights, save_weights

CLASS_WEIGHTS_FILE = "class_weights.safetensors"
MODEL_FILE = "model.safetensors"
_MATRIX = 2


@dataclass(frozen=True)
class ClassWeights:
    """Class weights by end ("pretrained", "trained") or by "at.ALPHA", and the class names in label order."""

    heads: dict[str, StateDict]
    classes: tuple[str, ...]


def save_class_weights(path: Path, heads: Mapping[str, StateDict], *, classes: tuple[str, ...]) -> None:
    """Write class weights, each with `weight` and `bias`, and the class names."""
    tensors = {f"{end}.{name}": tensor for end, head in heads.items() for name, tensor in head.items()}
    save_weights(path, tensors, metadata={"classes": list(classes)})


def load_class_weights(path: Path) -> ClassWeights:
    """Read class weights.

    Raises:
        InputError: the file is unreadable or holds no class weights.
    """
    tensors, metadata = load_weights(path)
    heads: dict[str, StateDict] = {}
    for name, tensor in tensors.items():
        end, _, part = name.rpartition(".")
        heads.setdefault(end, {})[part] = tensor
    if not heads or any(set(head) != {"weight", "bias"} for head in heads.values()):
        raise InputError(f"{path}: holds no class weights; delete it and run snakemake again")
    classes = metadata.get("classes")
    if not isinstance(classes, list):
        raise InputError(f"{path}: names no classes; delete it and run snakemake again")
    for end, head in heads.items():
        if head["weight"].ndim != _MATRIX or not len(head["weight"]) == len(head["bias"]) == len(classes):
            shapes = f"weight {list(head['weight'].shape)}, bias {list(head['bias'].shape)}"
            raise InputError(f"{path}: {end} does not fit {len(classes)} classes: {shapes}; delete it and run again")
    return ClassWeights(heads, tuple(classes))
