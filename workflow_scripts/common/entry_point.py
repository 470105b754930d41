"""What every entry point has in common: options, logging, and errors in one line."""

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.logs import start_logging
from workflow_scripts.common.texts import one_line

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

TERMINATED = 143
"""Exit code after SIGTERM, as a shell reports it."""


def entry_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that every entry point has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--settings", default="{}", help="this job's settings as JSON")
    parser.add_argument("--code", default="", help="digest of the code that this job runs; names checkpoints and parts")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; another number may change the last bits")
    parser.add_argument("--log", type=Path, default=None, help="file that receives the log")
    parser.add_argument("--locks", type=Path, default=Path(".snakemake/gpu-locks"), help="folder of the GPUs' locks")
    return parser


def run(
    job: Callable[[argparse.Namespace], None],
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None = None,
) -> None:
    """Parse the options, run the job, and turn an `InputError` into one logged line and exit code 1."""
    options = parser.parse_args(arguments)
    start_logging(options.log)
    # Preemption sends SIGTERM: leave through the `finally` blocks, so that no temporary file stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        job(options)
    except InputError as error:
        logger.error("%s", one_line(str(error)))
        sys.exit(1)
    except Exception as error:
        if isinstance(error, FileNotFoundError) and str(error.filename) in _paths(options):
            logger.error("%s: missing; a relative path counts from %s", error.filename, Path.cwd())
        else:
            logger.exception("%s failed", parser.prog)
        sys.exit(1)


def _paths(options: argparse.Namespace) -> set[str]:
    lists = (value if isinstance(value, list) else [value] for value in vars(options).values())
    return {str(value) for values in lists for value in values if isinstance(value, Path)}


def in_order(names: Sequence[Item], paths: Sequence[Path], *, option: str) -> list[tuple[Item, Path]]:
    """Return what the settings name with the files that an option gives, both in the same order.

    Raises:
        InputError: there are more or fewer files than names.
    """
    if len(names) != len(paths):
        raise InputError(f"--{option}: {len(paths)} files, but the settings name {len(names)}; give one for each")
    return list(zip(names, paths, strict=True))
