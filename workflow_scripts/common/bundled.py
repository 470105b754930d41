"""Files that come along with nameonly: `nameonly:assets/icons/clip` in a configuration, wherever it lies.

Settings hold the path itself; what is written of it, into a job's settings, a digest or a manifest, is the short form,
so that a checkout that was moved or copied gives the same.
"""

import os
from pathlib import Path, PurePosixPath

PREFIX = "nameonly:"
FOLDER = Path(__file__).resolve().parents[2]
"""The folder of the Snakefile."""


def located(path: str) -> str:
    """Return the path of a file that comes along, and any other as it is.

    Raises:
        ValueError: it is no path below our own folder.
    """
    if not path.startswith(PREFIX):
        return path
    own = PurePosixPath(path.removeprefix(PREFIX))
    if own.is_absolute() or ".." in own.parts or not own.parts:
        raise ValueError(f"{path}: names no file of nameonly's folder; leave {PREFIX} out for any other")
    return str(FOLDER / own)


def portable(path: str) -> str:
    """Return what `located` turns into this path, wherever the folder lies; paths outside of it as they are."""
    own = f"{FOLDER}{os.sep}"
    return PREFIX + path.removeprefix(own) if path.startswith(own) else path
