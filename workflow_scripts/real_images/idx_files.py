"""IDX files, Fashion-MNIST's format: four bytes of type, the sizes, then bytes; packed by gzip or not."""

import gzip
import math
import struct
import zlib
from pathlib import Path

from workflow_scripts.common.errors import InputError, errors_of
from workflow_scripts.common.files import folder_entries

PICTURES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
_PREFIXES = ("train", "t10k")


def idx_content(path: Path, *, dimensions: int) -> tuple[tuple[int, ...], memoryview]:
    """Return the shape and the bytes of an IDX file, packed by gzip (name ending in .gz) or not.

    Args:
        path: the file, without .gz.
        dimensions: how many sizes its header must have.

    Raises:
        InputError: neither file exists, or its content is not as long as its header says.
    """
    packed = path.with_name(path.name + ".gz")
    found = packed if packed.is_file() else path
    try:
        content = gzip.decompress(found.read_bytes()) if found == packed else found.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: missing (with or without .gz); put Fashion-MNIST's four IDX files there") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{found}: damaged or not readable ({error}); get the file again") from None
    header = 4 + 4 * dimensions
    if content[:4] == bytes((0, 0, 8, dimensions)) and len(content) >= header:
        shape = struct.unpack(f">{dimensions}I", content[4:header])
        if len(content) == header + math.prod(shape):
            return shape, memoryview(content)[header:]
    raise InputError(f"{found}: not an IDX file of {dimensions} dimensions, or cut short; get the file again")


def verify_same_count(folder: Path, prefix: str, pictures: int, labels: int) -> None:
    """Compare the number of pictures with the number of labels.

    Raises:
        InputError: they differ.
    """
    if pictures != labels:
        raise InputError(f"{folder}: {pictures} pictures but {labels} labels for {prefix}; get the files again")


def idx_folder_errors(folder: Path) -> list[str]:
    """Return a line per error of a folder with the four files: missing, damaged, or of different lengths."""
    if errors := errors_of(folder_entries, folder, content="Fashion-MNIST's four IDX files"):
        return errors
    for prefix in _PREFIXES:
        counts: list[int] = []
        for name, dimensions in ((PICTURES, 3), (LABELS, 1)):
            try:
                shape, _ = idx_content(folder / f"{prefix}-{name}", dimensions=dimensions)
                counts.append(shape[0])
            except InputError as error:
                errors.append(str(error))
        if len(counts) == 2:
            errors += errors_of(verify_same_count, folder, prefix, *counts)
    return errors
