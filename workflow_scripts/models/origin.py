"""What a manifest says of where a model comes from, and of what it has seen."""

import json
from pathlib import Path
from typing import Any

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Settings
from workflow_scripts.models.settings import AnyCorpus, FolderCheckpoint, PreparedCorpus

ORIGIN = "origin.json"
"""File beside the weights of a copied model that says what its manifest said: such a folder has none."""


def folder_origin(checkpoint: FolderCheckpoint) -> dict[str, Any]:
    """Return the origin of a model in a folder of somebody's, with what the folder says that it has seen, if it does.

    Raises:
        InputError: the folder's `origin.json` is not readable.
    """
    origin, path = checkpoint.model_dump(mode="json"), Path(checkpoint.path) / ORIGIN
    if not path.is_file():
        return origin
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable ({error}); mend it, or rename it") from None
    seen = content.get("seen") if isinstance(content, dict) else None
    return {**origin, "seen": f"{seen} (says its {ORIGIN})"} if isinstance(seen, str) else origin


def pretrained_origin(settings: Settings, corpus: AnyCorpus, *, images: int) -> dict[str, Any]:
    """Return the origin of a model that was trained here on a corpus."""
    return {
        "kind": "pretrain",
        "settings": settings.model_dump(mode="json"),
        "seen": f"{images} captioned training images of {corpus.dataset} ({_mixture(corpus)}); no test image",
    }


def _mixture(corpus: AnyCorpus) -> str:
    if isinstance(corpus, PreparedCorpus):
        return f"{', '.join(corpus.captions)}; {corpus.class_share:.0%} of the draws show its classes"
    total = sum(corpus.mixture_weights.values())
    return ", ".join(f"{domain} {weight / total:.0%}" for domain, weight in corpus.mixture_weights.items())
