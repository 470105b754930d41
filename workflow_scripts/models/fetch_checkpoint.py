"""Declare a checkpoint from a hub or a folder: fetch it if need be, check its layout, write its manifest."""

import argparse
import logging
from pathlib import Path
from typing import Annotated

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from pydantic import Field, TypeAdapter, ValidationError

from workflow_scripts.common.checkpoint_layout import FORMATS, TEXT_TO_IMAGE, WEIGHTS, files_below, layout_errors
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.manifests import write_model_manifest
from workflow_scripts.common.settings import error_lines
from workflow_scripts.models.origin import folder_origin
from workflow_scripts.models.settings import FolderCheckpoint, HubCheckpoint

logger = logging.getLogger(__name__)

PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model")
"""Files that are fetched and declared: configurations, weights, vocabularies. No pickles, no code."""

_CHECKPOINT: TypeAdapter[HubCheckpoint | FolderCheckpoint] = TypeAdapter(
    Annotated[HubCheckpoint | FolderCheckpoint, Field(discriminator="kind")]
)


def job(options: argparse.Namespace) -> None:
    """Find the checkpoint's folder, check it, and write the manifest."""
    settings = read_settings(options.settings)
    if isinstance(settings, HubCheckpoint):
        folder, origin = fetch(settings, options.output.parent / "files"), settings.model_dump(mode="json")
    else:
        folder, origin = Path(settings.path), folder_origin(settings)
    names = checkpoint_files(folder, what=options.what)
    write_model_manifest(options.output, folder=folder, names=names, origin=origin)
    logger.info("%d files of %s", len(names), folder)


def read_settings(text: str) -> HubCheckpoint | FolderCheckpoint:
    """Read where a checkpoint comes from.

    Raises:
        InputError: a key is unknown or missing, or a value does not fit.
    """
    try:
        return _CHECKPOINT.validate_json(text)
    except ValidationError as error:
        raise InputError("; ".join(error_lines(error, text))) from None


def fetch(checkpoint: HubCheckpoint, folder: Path) -> Path:
    """Download a repository's configurations and safetensors at a revision.

    Raises:
        InputError: the hub cannot be reached or has no such repository or revision.
    """
    variant = [f"*.{checkpoint.variant}.safetensors"] if checkpoint.variant else []
    patterns = [*(p for p in PATTERNS if not (variant and p == "*.safetensors")), *variant]
    try:
        snapshot_download(
            checkpoint.repository, revision=checkpoint.revision, local_dir=folder, allow_patterns=patterns
        )
    except (OSError, HfHubHTTPError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{checkpoint.repository} at {checkpoint.revision} cannot be fetched ({reason}): check the names and the "
            "network, or download it elsewhere and use kind: folder"
        ) from None
    return folder


def checkpoint_files(folder: Path, *, what: str) -> list[str]:
    """Return the files of a checkpoint, relative to its folder.

    Args:
        folder: the checkpoint's folder.
        what: `clip` (open_clip's configuration and safetensors), `student` (timm's), `text-to-image` (a diffusers
            pipeline) or `weights` (any safetensors).

    Raises:
        InputError: the folder or one of its files is missing, its weights are pickles only, or it asks for code of its
            own.
    """
    if errors := layout_errors(folder, what=what):
        raise InputError(errors[0])
    if what in FORMATS:
        _, needed = FORMATS[what]
        names = {*needed, *(path.name for path in folder.iterdir() if path.suffix in (".json", ".txt", ".model"))}
        return sorted(names)
    return sorted({str(path.relative_to(folder)) for pattern in PATTERNS for path in files_below(folder, pattern)})


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--what", choices=(*FORMATS, TEXT_TO_IMAGE, WEIGHTS), required=True, help="kind of checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="manifest to write")
    run(job, parser)


if __name__ == "__main__":
    main()
