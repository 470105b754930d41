"""The artifacts of a method, which averaging and evaluation read: files, not code.

A run's folder holds `head.safetensors` and, if the image encoder was trained, `encoder.safetensors`.

- `encoder.safetensors`: the fine-tuned endpoint of the image encoder, tensor names as in open_clip's `model.visual`.
  Its pre-trained endpoint is the CLIP checkpoint. Without the file the encoder is the pre-trained one at every alpha.
  A student's file holds a whole network instead, described by its metadata (`common.encoders`); it has one endpoint.
- `head.safetensors`: either `pretrained.weight`, `pretrained.bias` and, if they were trained,
  `finetuned.weight`, `finetuned.bias`, which are averaged linearly; or `at.ALPHA.weight`, `at.ALPHA.bias` per alpha.
  Weights have shape (classes, dimension) and carry the logit scale; biases have shape (classes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.weights import StateDict, load_weights, save_weights

_MATRIX = 2


@dataclass(frozen=True)
class RunHead:
    """A head's variants, by endpoint ("pretrained", "finetuned") or alpha ("at.ALPHA"); classes in label order."""

    variants: dict[str, StateDict]
    classes: tuple[str, ...]


def save_head(path: Path, variants: Mapping[str, StateDict], *, classes: tuple[str, ...]) -> None:
    """Write a head's variants, each with `weight` and `bias`, and the class names."""
    tensors = {f"{variant}.{name}": tensor for variant, head in variants.items() for name, tensor in head.items()}
    save_weights(path, tensors, metadata={"classes": list(classes)})


def load_head(path: Path) -> RunHead:
    """Read a run's head.

    Raises:
        InputError: the file is unreadable or holds no head.
    """
    tensors, metadata = load_weights(path)
    variants: dict[str, StateDict] = {}
    for name, tensor in tensors.items():
        variant, _, kind = name.rpartition(".")
        variants.setdefault(variant, {})[kind] = tensor
    if not variants or any(set(head) != {"weight", "bias"} for head in variants.values()):
        raise InputError(f"{path}: holds no head; delete it and run snakemake again")
    classes = metadata.get("classes")
    if not isinstance(classes, list):
        raise InputError(f"{path}: names no classes; delete it and run snakemake again")
    for variant, head in variants.items():
        if head["weight"].ndim != _MATRIX or not len(head["weight"]) == len(head["bias"]) == len(classes):
            shapes = f"weight {list(head['weight'].shape)}, bias {list(head['bias'].shape)}"
            raise InputError(
                f"{path}: {variant} does not fit {len(classes)} classes: {shapes}; delete it and run again"
            )
    return RunHead(variants, tuple(classes))
