"""What every training has in common: its options, what its checkpoints are named by, its log, its metadata."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.devices import environment_metadata
from workflow_scripts.common.entry_point import entry_parser
from workflow_scripts.common.files import digest_of, sha256_of, write_json, write_text
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.settings import Settings
from workflow_scripts.training.checkpoints import checkpoint_path, delete_checkpoints
from workflow_scripts.training.loop import LogEntry


def training_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that every training has."""
    parser = entry_parser(description)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="manifests of the images, one per domain")
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument(
        "--training-log", type=Path, required=True, help="training log to write, a JSON object per line"
    )
    parser.add_argument("--metadata", type=Path, required=True, help="metadata of the run to write")
    return parser


@dataclass(frozen=True)
class Identity:
    """All that a training depends on: settings, code, inputs (path to sha256), and threads."""

    values: dict[str, Any]
    threads: int
    output: Path

    def checkpoint(self, stage: str = "") -> Path:
        """Return where the checkpoint of a stage lies."""
        return checkpoint_path(self.output, digest_of({**self.values, "threads": self.threads}), stage=stage)


def begin(settings: Settings, *, code: str, inputs: Sequence[Path], threads: int, output: Path) -> Identity:
    """Return what names a training, and delete the checkpoints of any other one beside its output."""
    values = {
        "settings": settings.model_dump(mode="json"),
        "code": code,
        "inputs": {str(path): sha256_of(path) for path in inputs},
    }
    identity = Identity(values, threads, output)
    delete_checkpoints(output, but=identity.checkpoint())
    return identity


def finish(
    identity: Identity,
    *,
    entries: Sequence[LogEntry],
    images: DecodedImages,
    held_out: DecodedImages,
    device: torch.device,
    training_log: Path,
    metadata: Path,
) -> None:
    """Write the log and the metadata of a finished training; its weights must be written already. Drop checkpoints."""
    write_text(training_log, "".join(json.dumps(line) + "\n" for line in entries))
    summary = {
        "training_images": len(images),
        "held_out_images": len(held_out),
        "left_out_images": images.left_out + held_out.left_out,
        "domains": list(images.domains),
        "steps": sum(line["kind"] == "step" for line in entries),
        "last": entries[-1],
        "environment": environment_metadata(device),
    }
    write_json(metadata, {**identity.values, **summary})
    delete_checkpoints(identity.output)
