"""Logging to the console and a file, and progress bars that both can bear."""

import logging
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


@contextmanager
def silenced(message: re.Pattern[str]) -> Iterator[None]:
    """Drop one message of a library that logs by `logging.warning()` and the like; all others get through.

    Args:
        message: matches the whole text of what is dropped.
    """

    def wanted(record: logging.LogRecord) -> bool:
        return message.fullmatch(record.getMessage()) is None

    # Those functions log to the root logger itself: its filter sees their records and no other logger's.
    root = logging.getLogger()
    root.addFilter(wanted)
    try:
        yield
    finally:
        root.removeFilter(wanted)


def progress(items: Iterable[Item], *, what: str, total: int | None = None) -> "tqdm[Item]":
    """Wrap an iterable in a progress bar on standard error; on a file it is redrawn every ten seconds at most."""
    interval = 0.5 if sys.stderr.isatty() else 10.0
    return tqdm(items, desc=what, total=total, mininterval=interval, leave=False, dynamic_ncols=True)
