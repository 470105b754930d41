"""The header of a safetensors file, read without torch: whether a file is whole before hours are spent on it."""

import json
from pathlib import Path
from typing import Any

from workflow_scripts.common.errors import InputError

_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000
"""Longest header that safetensors itself reads."""
_LFS_POINTER = b"version https://git-lfs"
_METADATA = "__metadata__"


def read_safetensors_header(path: Path) -> dict[str, Any]:
    """Return what a safetensors file says of its tensors: type, shape and place of each, by name.

    The file starts with the header's length in eight bytes, little-endian, then comes the header, a JSON object; the
    last tensor ends where the file ends.

    Raises:
        InputError: the file is missing or may not be read, is a pointer of Git LFS, is no safetensors file, or is cut
            short.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(len(_LFS_POINTER))
            length = int.from_bytes(start[:_LENGTH_BYTES], "little")
            stream.seek(_LENGTH_BYTES)
            text = stream.read(length) if length <= min(_MAX_HEADER_BYTES, size - _LENGTH_BYTES) else b""
    except FileNotFoundError:
        raise InputError(f"{path}: missing; get the checkpoint again") from None
    except OSError as error:
        raise InputError(f"{path}: not readable ({error.strerror}); check its permissions") from None
    if start == _LFS_POINTER:
        raise InputError(f"{path}: a pointer of Git LFS, not the weights; run 'git lfs pull' in its repository")
    header = _header(text)
    if header is None:
        raise InputError(f"{path}: not a safetensors file, or cut short in its header; get the checkpoint again")
    expected = _LENGTH_BYTES + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if size != expected:
        what = "cut short" if size < expected else "longer than its header says"
        raise InputError(f"{path}: {what} ({size} bytes instead of {expected}); get the checkpoint again")
    return header


def _header(text: bytes) -> dict[str, Any] | None:
    """Return the entries of the tensors, or None where the text is no header."""
    try:
        content = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    entries = {name: entry for name, entry in content.items() if name != _METADATA}
    return entries if all(_is_entry(entry) for entry in entries.values()) else None


def _is_entry(entry: Any) -> bool:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(offsets, list) or not all(type(offset) is int for offset in offsets):
        return False
    return len(offsets) == 2 and 0 <= offsets[0] <= offsets[1]
