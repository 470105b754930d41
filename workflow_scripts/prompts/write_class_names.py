"""Write the names of a data set's classes as a JSON list."""

import argparse
import json
import logging
from pathlib import Path
from urllib.parse import unquote

from workflow_scripts.common.class_names import validated_class_names
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.files import write_text

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Decode the names, check them, write them."""
    names = validated_class_names([unquote(name) for name in options.names])
    write_text(options.output, json.dumps(names, ensure_ascii=False, indent=1))
    logger.info("%d classes, from %r to %r", len(names), names[0], names[-1])


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="JSON list to write")
    parser.add_argument("names", nargs="+", help="class names as in a URL: no shell reads them as anything else")
    run(job, parser)


if __name__ == "__main__":
    main()
