"""Files that appear whole or not at all, and the digests that tell them apart."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflow_scripts.common.errors import InputError

_BLOCK = 1 << 20


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it into place when the block ends well, delete it otherwise.

    What a killed job left of the same file is deleted first.

    Raises:
        InputError: the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        stale.unlink(missing_ok=True)
    with naming_a_full_disk(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with naming_a_full_disk(path):
            yield temporary
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


_MIN_FREE_BYTES = 1 << 16
"""Free bytes below which a failed write is put down to a full disk."""


@contextlib.contextmanager
def naming_a_full_disk(path: Path) -> Iterator[None]:
    """Turn whatever a library raises when the disk of `path` is full into one line that names the file.

    Raises:
        InputError: the block failed and the disk is full.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        # Every library says it in its own way, and some not at all: the disk itself is asked.
        named = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
        if not named and shutil.disk_usage(path.parent).free >= _MIN_FREE_BYTES:
            raise
        raise InputError(f"{path}: no space left on its disk; free some and run the same command again") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text under its final name in one move."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no blanks: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON with sorted keys, so that equal values give equal files."""
    write_text(path, json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def folder_entries(folder: Path, *, content: str) -> list[Path]:
    """Return what lies in a folder, sorted.

    Args:
        folder: the folder.
        content: what it should hold, in words, for the error.

    Raises:
        InputError: the folder is missing or may not be read.
    """
    try:
        entries = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: no such folder; it should hold {content}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{folder}: not a readable folder ({reason}); check the path and its permissions") from None
    if not os.access(folder, os.X_OK):
        raise InputError(f"{folder}: not a readable folder (its files cannot be opened); check its permissions")
    return entries


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def digest_of(value: Any) -> str:
    """Return 16 hexadecimal digits that name a JSON-able value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]
