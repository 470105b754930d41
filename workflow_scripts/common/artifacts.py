"""The artifacts of a method whose classifier is linear over an image encoder: files, not code.

- `encoder.safetensors`: the fine-tuned endpoint of the image encoder, tensor names as in open_clip's `model.visual`.
  Its pre-trained endpoint is the CLIP checkpoint. Without the file the encoder is the pre-trained one at every alpha.
  A student's file holds a whole network instead, described by its metadata (`common.encoders`); it has one endpoint.
- `head.safetensors`: `pretrained.weight`, `pretrained.bias` and, if they were trained, `finetuned.weight`,
  `finetuned.bias`, which are averaged linearly. Weights have shape (classes, dimension) and carry the logit scale;
  biases have shape (classes).

A method with another classifier writes what that one reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.weights import StateDict, load_weights, save_weights

_MATRIX = 2


@dataclass(frozen=True)
class RunHead:
    """A head's endpoints, "pretrained" and perhaps "finetuned"; classes in label order."""

    endpoints: dict[str, StateDict]
    classes: tuple[str, ...]


def save_head(path: Path, endpoints: Mapping[str, StateDict], *, classes: tuple[str, ...]) -> None:
    """Write a head's endpoints, each with `weight` and `bias`, and the class names."""
    tensors = {f"{endpoint}.{name}": tensor for endpoint, head in endpoints.items() for name, tensor in head.items()}
    save_weights(path, tensors, metadata={"classes": list(classes)})


def load_head(path: Path) -> RunHead:
    """Read a run's head.

    Raises:
        InputError: the file is unreadable or holds no head.
    """
    tensors, metadata = load_weights(path)
    endpoints: dict[str, StateDict] = {}
    for name, tensor in tensors.items():
        endpoint, _, kind = name.rpartition(".")
        endpoints.setdefault(endpoint, {})[kind] = tensor
    known = "pretrained" in endpoints and endpoints.keys() <= {"pretrained", "finetuned"}
    if not known or any(set(head) != {"weight", "bias"} for head in endpoints.values()):
        raise InputError(f"{path}: holds no head; delete it and run snakemake again")
    classes = metadata.get("classes")
    if not isinstance(classes, list):
        raise InputError(f"{path}: names no classes; delete it and run snakemake again")
    for endpoint, head in endpoints.items():
        if head["weight"].ndim != _MATRIX or not len(head["weight"]) == len(head["bias"]) == len(classes):
            shapes = f"weight {list(head['weight'].shape)}, bias {list(head['bias'].shape)}"
            raise InputError(
                f"{path}: {endpoint} does not fit {len(classes)} classes: {shapes}; delete it and run again"
            )
    return RunHead(endpoints, tuple(classes))
