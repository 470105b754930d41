"""Write the prompts that the images of one domain are generated from."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.common.class_names import read_class_names
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.prompts.prompt_table import GENERATION_COLUMNS, generation_rows, write_table
from workflow_scripts.prompts.settings import DomainPromptsJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read class names, fill the domain's templates, write the table."""
    settings = DomainPromptsJob.parse(options.settings)
    rows = generation_rows(read_class_names(options.classes), domain=settings.domain, templates=settings.templates)
    write_table(options.output, rows, GENERATION_COLUMNS)
    logger.info("%d prompts of domain %s, as in %r", len(rows), settings.domain, rows[0]["prompt"])


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--classes", type=Path, required=True, help="class names: JSON list, or text with one per line")
    parser.add_argument("--output", type=Path, required=True, help="parquet table to write")
    run(job, parser)


if __name__ == "__main__":
    main()
