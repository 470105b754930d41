"""Write one shard of real images."""

import argparse
import logging
from pathlib import Path
from typing import Any

from workflow_scripts.common.class_names import read_class_names
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.logs import progress
from workflow_scripts.common.parts import kinds_of
from workflow_scripts.common.shards import write_shard
from workflow_scripts.real_images.kind import RealImages
from workflow_scripts.real_images.rows import real_rows
from workflow_scripts.real_images.settings import RealShardJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read the pictures of one block and write them with what they are."""
    kinds: Any = kinds_of([options.kind], module="real_images.kinds.{}", base=RealImages)
    settings = RealShardJob[kinds[options.kind]].parse(options.settings)
    classes = read_class_names(options.classes)
    provenance = {
        "classes": list(classes),
        "shard": settings.shard,
        "source": settings.source,
        "domain": settings.domain,
        "dataset_kind": settings.images.kind,
    }
    rows = progress(
        real_rows(settings, classes, prepared=options.prepared), what=f"{settings.source} {settings.domain}"
    )
    written = write_shard(options.output, rows, provenance=provenance)
    logger.info("%d images of %s in domain %s", written, settings.source, settings.domain)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--kind", required=True, help="module of the data set's kind, below real_images.kinds")
    parser.add_argument("--classes", type=Path, required=True, help="class names: JSON list, or text with one per line")
    parser.add_argument("--prepared", type=Path, help="table of prepared pictures, if the data set's kind has one")
    parser.add_argument("--output", type=Path, required=True, help="parquet shard to write")
    run(job, parser)


if __name__ == "__main__":
    main()
