"""Write the sentences of the zero-shot head."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.common.class_names import read_class_names
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.prompts.prompt_table import HEAD_COLUMNS, head_rows, write_table
from workflow_scripts.prompts.settings import HeadPromptsJob
from workflow_scripts.prompts.templates import head_sentences

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read class names, make each class's sentences, write the table."""
    classes = read_class_names(options.classes)
    rows = head_rows(classes, head_sentences(HeadPromptsJob.parse(options.settings).head, classes))
    write_table(options.output, rows, HEAD_COLUMNS)
    logger.info("%d sentences for %d classes, as in %r", len(rows), len(classes), rows[0]["prompt"])


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--classes", type=Path, required=True, help="class names: JSON list, or text with one per line")
    parser.add_argument("--output", type=Path, required=True, help="parquet table to write")
    run(job, parser)


if __name__ == "__main__":
    main()
