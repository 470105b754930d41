"""One checkpoint per validation interval, so that an interrupted training goes on where its last one ended."""

import logging
import pickle
from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.files import replacing

logger = logging.getLogger(__name__)

_KEYS = {"model", "optimizer", "interval", "entries"}


def checkpoint_path(folder: Path, digest: str, *, phase: str) -> Path:
    """Return where the checkpoint of a training's phase lies: in the run's folder, named by what it depends on."""
    return folder / f"checkpoint-{digest}-{phase}.pt"


def delete_checkpoints(folder: Path, *, but: str | None = None) -> None:
    """Delete the checkpoints in a run's folder, but those of one digest (of all phases): the others are stale."""
    for path in folder.glob("checkpoint-*.pt"):
        if but is None or not path.stem.startswith(f"checkpoint-{but}-"):
            logger.info("deleting %s: it belongs to another training, or this one is done", path.name)
            path.unlink()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint that replaces the last one only when it is whole."""
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load_checkpoint(path: Path, *, device: torch.device) -> dict[str, Any] | None:
    """Read a checkpoint, or None if there is none or it is damaged; nothing in it is executed."""
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, ValueError, LookupError, EOFError, pickle.UnpicklingError) as error:
        logger.warning(
            "%s is damaged (%s): training starts anew", path, str(error).splitlines()[0] if str(error) else ""
        )
        return None
    if not isinstance(state, dict) or not state.keys() >= _KEYS:
        logger.warning("%s is damaged (entries are missing): training starts anew", path)
        return None
    return state
