"""Generate one shard of images with a text-to-image model."""

import argparse
import logging
from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.devices import claimed_device, environment_metadata
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import sha256_of
from workflow_scripts.common.image_checks.registry import CHECKS
from workflow_scripts.common.manifests import read_manifest
from workflow_scripts.common.parquet import read_parquet
from workflow_scripts.common.shards import write_shard
from workflow_scripts.generation.drawer import Drawer, heeded, load_drawer
from workflow_scripts.generation.requests import requests
from workflow_scripts.generation.sampling import generate
from workflow_scripts.generation.settings import GeneratedShardJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read the prompts, load the checkpoint, generate, and write the shard."""
    settings = GeneratedShardJob.parse(options.settings)
    prompts = read_prompts(options.prompts)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        drawer = load_drawer(options.model, settings, device=device)
        made_by = provenance(drawer, settings, options.model, prompts, device=device)
        rows = generate(drawer, requests(prompts, settings), settings)
        written = write_shard(options.output, rows, provenance=made_by, checks=CHECKS)
    logger.info("%d images of domain %s", written, settings.domain)


def read_prompts(path: Path) -> list[dict[str, Any]]:
    """Read a generation prompt table.

    Raises:
        InputError: the table is unreadable or empty.
    """
    rows: list[dict[str, Any]] = read_parquet(path, what="prompt table").to_pylist()
    if not rows:
        raise InputError(f"{path}: holds no prompt; delete it and run snakemake again")
    return rows


def provenance(
    drawer: Drawer, settings: GeneratedShardJob, model: Path, prompts: list[dict[str, Any]], *, device: torch.device
) -> dict[str, Any]:
    """Return what made the images of a shard; no times and no host names."""
    names = {row["label"]: row["class_name"] for row in prompts}
    return {
        **heeded(settings),
        **drawer.made_by,
        "dataset": settings.dataset,
        "source": settings.source,
        "domain": settings.domain,
        "classes": [names[label] for label in sorted(names)],
        "checkpoint": read_manifest(model)["origin"],
        "checkpoint_digest": sha256_of(model),
        "environment": environment_metadata(device),
    }


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--prompts", type=Path, required=True, help="generation prompts of one domain")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the text-to-image checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="shard to write")
    run(job, parser)


if __name__ == "__main__":
    main()
