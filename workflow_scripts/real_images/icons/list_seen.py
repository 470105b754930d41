"""List the test pictures that were left out since a training picture is their twin: what `make icon-models` keeps.

Models that learned from every name have seen such a picture under another name. A data set of fewer names cannot find
them by itself; it names the list (`left_out`).
"""

import argparse
from pathlib import Path

from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.files import write_text
from workflow_scripts.real_images.prepared import read_provenance


def job(options: argparse.Namespace) -> None:
    """Write the pictures' names, one per line."""
    write_text(options.output, "".join(f"{name}\n" for name in read_provenance(options.prepared)["seen"]))


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--prepared", type=Path, required=True, help="table of prepared icons, of every name")
    parser.add_argument("--output", type=Path, required=True, help="list to write")
    run(job, parser)


if __name__ == "__main__":
    main()
