"""Files that come along with nameonly: `nameonly:assets/icons/clip` in a configuration, wherever it lies.

Settings hold the path itself; what is written of it, into a job's settings, a digest or a manifest, is the short form,
so that a checkout that was moved or copied gives the same.
"""

import os
from pathlib import Path

PREFIX = "nameonly:"
FOLDER = Path(__file__).resolve().parents[2]
"""The folder of the Snakefile."""


def located(path: str) -> str:
    """Return the path of a file that comes along, and any other as it is."""
    return str(FOLDER / path.removeprefix(PREFIX)) if path.startswith(PREFIX) else path


def portable(path: str) -> str:
    """Return what `located` turns into this path, wherever the folder lies; paths outside of it as they are."""
    own = f"{FOLDER}{os.sep}"
    return PREFIX + path.removeprefix(own) if path.startswith(own) else path
