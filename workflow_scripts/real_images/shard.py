"""Write one shard of real images."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.ground.class_names import read_class_names
from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.logs import progress
from workflow_scripts.ground.shards import write_shard
from workflow_scripts.real_images.rows import real_rows
from workflow_scripts.real_images.settings import RealShard

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read the pictures of one block and write them with what they are."""
    settings = RealShard.parse(options.settings)
    classes = read_class_names(options.classes)
    provenance = {
        "classes": list(classes),
        "shard": settings.shard,
        "split": settings.split,
        "domain": settings.domain,
        "data_set": settings.images.kind,
    }
    rows = progress(real_rows(settings, classes), what=f"{settings.split} {settings.domain}")
    written = write_shard(options.output, rows, provenance=provenance)
    logger.info("%d images of %s in domain %s", written, settings.split, settings.domain)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--classes", type=Path, required=True, help="class names: JSON list, or text with one per line")
    parser.add_argument("--output", type=Path, required=True, help="parquet shard to write")
    run(job, parser)


if __name__ == "__main__":
    main()
