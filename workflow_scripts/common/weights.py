"""Weights as safetensors with JSON metadata, and the check that two sets of weights belong together."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import canonical_json, replacing

StateDict = dict[str, torch.Tensor]

_SHOWN = 5


def save_weights(path: Path, tensors: StateDict, *, metadata: dict[str, Any] | None = None) -> None:
    """Write tensors and JSON metadata to a safetensors file that appears only when it is whole."""
    content = {name: tensor.detach().to("cpu").contiguous().clone() for name, tensor in sorted(tensors.items())}
    with replacing(path) as temporary:
        # One key only: safetensors writes several in random order, and equal weights would not be equal files.
        save_file(content, temporary, metadata={"nameonly": canonical_json(metadata or {})})


def load_weights(path: Path) -> tuple[StateDict, dict[str, Any]]:
    """Read tensors (on the CPU) and JSON metadata from a safetensors file; nothing in it is executed.

    Raises:
        InputError: the file is missing, truncated or not safetensors.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
            metadata = json.loads((file.metadata() or {}).get("nameonly", "{}"))
    except FileNotFoundError:
        raise InputError(f"{path}: missing; run snakemake to make it") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{path}: not a readable safetensors file ({error}); delete it and run snakemake again"
        ) from None
    return tensors, metadata


def digest_of_tensors(tensors: StateDict) -> str:
    """Return 16 hexadecimal digits that name tensors by their names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def verify_same_tensors(expected: StateDict, actual: StateDict, *, what: str) -> None:
    """Compare names and shapes of two state dicts.

    Raises:
        InputError: tensors are missing, extra or of another shape; they are named.
    """
    errors = [f"missing {name}" for name in sorted(expected.keys() - actual.keys())]
    errors += [f"unexpected {name}" for name in sorted(actual.keys() - expected.keys())]
    errors += [
        f"{name} has shape {list(actual[name].shape)}, not {list(expected[name].shape)}"
        for name in sorted(expected.keys() & actual.keys())
        if actual[name].shape != expected[name].shape
    ]
    if errors:
        more = f" and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
        raise InputError(f"{what}: weights do not fit: {', '.join(errors[:_SHOWN])}{more}")
