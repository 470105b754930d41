"""Logging to the console and a file, and progress bars that both can bear."""

import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def start_logging(path: Path | None) -> None:
    """Send this process's log to standard error and, if `path` is given, to that file (made anew)."""
    # A log that cannot be written (its disk is full) must not bury the error under tracebacks of its own.
    logging.raiseExceptions = False
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", handlers=handlers, force=True)
    for noisy in ("httpx", "matplotlib", "PIL", "fontTools", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def progress(items: Iterable[Item], *, what: str, total: int | None = None) -> "tqdm[Item]":
    """Wrap an iterable in a progress bar on standard error; on a file it is redrawn every ten seconds at most."""
    interval = 0.5 if sys.stderr.isatty() else 10.0
    return tqdm(items, desc=what, total=total, mininterval=interval, leave=False, dynamic_ncols=True)
