"""Prepare the pictures of a data set in one job: shards are cut from its table, corpora are taken from it."""

import argparse
import logging
from pathlib import Path
from typing import Any

from workflow_scripts.common.class_names import read_class_names
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.parts import kinds_of
from workflow_scripts.real_images.kind import PreparedImages
from workflow_scripts.real_images.prepared import write_prepared
from workflow_scripts.real_images.settings import PreparationJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Let the kind of data set prepare its pictures, and write them."""
    kinds: Any = kinds_of([options.kind], module="real_images.kinds.{}", base=PreparedImages)
    settings = PreparationJob[kinds[options.kind]].parse(options.settings)
    classes = read_class_names(options.classes)
    written = write_prepared(options.output, settings.images.prepare(classes, processes=options.threads))
    logger.info("%d pictures prepared", written)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--kind", required=True, help="module of the data set's kind, below real_images.kinds")
    parser.add_argument("--classes", type=Path, required=True, help="class names: JSON list, or text with one per line")
    parser.add_argument("--output", type=Path, required=True, help="table to write")
    run(job, parser)


if __name__ == "__main__":
    main()
