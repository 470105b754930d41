"""Checkpoints that ask for code of their own or for a model from a hub: refused before a library reads them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflow_scripts.common.checkpoint_files import PIPELINE_INDEX, TIMM_CONFIG
from workflow_scripts.common.errors import InputError

_CODE_KEYS = ("auto_map", "trust_remote_code", "custom_pipeline", "custom_pipelines")
"""Where transformers, open_clip and diffusers look for code beside the weights, or for leave to run it."""
_HUB_KEYS = ("hf_model_name",)
"""Text towers that open_clip would fetch from a hub while a job runs."""
_CONFIGURATIONS = (PIPELINE_INDEX, TIMM_CONFIG)


def refuse_remote_code(folder: Path) -> None:
    """Read every configuration of a checkpoint's folder and of its components, and check what it asks for.

    Raises:
        InputError: a configuration is no JSON, asks for code that comes with the checkpoint, or names a model of a hub.
    """
    for error in remote_code_errors(folder):
        raise InputError(error)


def remote_code_errors(folder: Path) -> Iterator[str]:
    """Yield a line per configuration that is no JSON, and per key that asks for code or for a model of a hub."""
    for path in sorted((*folder.glob("*.json"), *folder.glob("*/*.json"))):
        if path.name.endswith(_CONFIGURATIONS):
            try:
                content = read_configuration(path)
            except InputError as error:
                yield str(error)
            else:
                yield from _key_errors(path, content)


def _key_errors(path: Path, content: dict[str, Any]) -> Iterator[str]:
    for key, value in _entries(content):
        hub = key in _HUB_KEYS or (key == "timm_model_name" and ":" in str(value))
        if key in _CODE_KEYS and value:
            yield f"{path}: asks for code of its own ({key}), which is never run; use a plain model"
        elif hub and value:
            yield f"{path}: {key} names a model of a hub, which is not fetched; use a whole model"


def read_configuration(path: Path) -> dict[str, Any]:
    """Read a checkpoint's configuration.

    Raises:
        InputError: the file is no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable JSON ({error}); get the checkpoint again") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a configuration; get the checkpoint again")
    return content


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            yield from item.items()
            left += item.values()
        elif isinstance(item, list):
            left += item
