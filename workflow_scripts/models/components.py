"""Saving the components of a diffusers pipeline so that each file appears only when it is whole."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from workflow_scripts.common.files import naming_a_full_disk


def save_components(folder: Path, components: dict[str, Any]) -> None:
    """Save models, schedulers or tokenizers in diffusers' layout: one sub-folder each, moved into place file by file.

    Raises:
        InputError: the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(".saving-*"):
        shutil.rmtree(stale)
    first = folder / next(iter(components))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as scratch, naming_a_full_disk(first):
        for name, component in components.items():
            component.save_pretrained(Path(scratch) / name)
        for path in sorted(Path(scratch).rglob("*")):
            if path.is_file():
                target = folder / path.relative_to(scratch)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
