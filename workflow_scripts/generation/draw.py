"""Draw one shard of images with a text-to-image model."""

import argparse
import logging
from pathlib import Path
from typing import Any

import torch

from workflow_scripts.generation.drawing import draw, requests
from workflow_scripts.generation.pipelines import load_pipeline
from workflow_scripts.generation.settings import ShardSettings
from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.devices import claimed_device, environment_record
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.files import digest_of, sha256_of
from workflow_scripts.ground.manifests import read_manifest
from workflow_scripts.ground.parquet import read_parquet
from workflow_scripts.ground.shards import write_shard

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read the prompts, load the checkpoint, draw, and write the shard."""
    settings = ShardSettings.parse(options.settings)
    prompts = read_prompts(options.prompts)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        pipeline = load_pipeline(options.model, settings, device=device)
        made_by = provenance(pipeline, settings, options.model, prompts, device=device)
        rows = draw(pipeline, requests(prompts, settings), settings)
        written = write_shard(options.output, rows, provenance=made_by)
    logger.info("%d images in style %s", written, settings.style)


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
    pipeline: Any, settings: ShardSettings, model: Path, prompts: list[dict[str, Any]], *, device: torch.device
) -> dict[str, Any]:
    """Return what made the images of a shard; no times and no host names."""
    names = {row["label"]: row["class_name"] for row in prompts}
    # Keys with an underscore hold folder names.
    public = sorted(item for item in pipeline.scheduler.config.items() if not item[0].startswith("_"))
    return {
        **settings.model_dump(mode="json"),
        "classes": [names[label] for label in sorted(names)],
        "checkpoint": read_manifest(model)["origin"],
        "checkpoint_digest": sha256_of(model),
        "pipeline": type(pipeline).__name__,
        "scheduler": type(pipeline.scheduler).__name__,
        "scheduler_digest": digest_of({key: repr(value) for key, value in public}),
        "environment": environment_record(device),
    }


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--prompts", type=Path, required=True, help="generation prompts of one style")
    parser.add_argument("--model", type=Path, required=True, help="manifest of the text-to-image checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="shard to write")
    run(job, parser)


if __name__ == "__main__":
    main()
