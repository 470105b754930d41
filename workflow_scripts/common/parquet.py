"""Parquet files whose pages carry checksums, so that a flipped byte is found when it is read."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts.common.errors import InputError

PARQUET_ERRORS = (OSError, ValueError, pa.ArrowException)
"""What reading a damaged parquet file raises."""
_ROWS_AT_ONCE = 100


def parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a writer that puts a checksum into each page."""
    return pq.ParquetWriter(path, schema, write_page_checksum=True)


def open_parquet(path: Path, *, what: str) -> pq.ParquetFile:
    """Open a file; the pages that are read from it are compared with their checksums.

    Raises:
        InputError: the file is missing, or its head or its foot is damaged.
    """
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except PARQUET_ERRORS as error:
        raise damaged(path, error, what=what) from None


def read_parquet(
    path: Path, *, what: str, columns: Sequence[str] | None = None, only: tuple[str, str] | None = None
) -> pa.Table:
    """Read a table.

    Args:
        path: the file.
        what: what to call it in an error.
        columns: those to read; all if None.
        only: a column and the value that rows must have there; all rows if None.

    Raises:
        InputError: the file is missing or damaged, or lacks a column.
    """
    file = open_parquet(path, what=what)
    missing = [name for name in columns or () if name not in file.schema_arrow.names]
    if missing:
        raise InputError(f"{path}: not a {what}, columns are missing: {', '.join(missing)}")
    filters = None if only is None else [(only[0], "==", only[1])]
    names = None if columns is None else list(columns)
    try:
        return pq.read_table(path, columns=names, filters=filters, partitioning=None, page_checksum_verification=True)
    except PARQUET_ERRORS as error:
        raise damaged(path, error, what=what) from None


def verify_pages(path: Path, *, what: str) -> None:
    """Read every page of a file once, a batch at a time in memory, and compare it with its checksum.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        for _ in open_parquet(path, what=what).iter_batches(batch_size=_ROWS_AT_ONCE):
            pass
    except PARQUET_ERRORS as error:
        raise damaged(path, error, what=what) from None


def damaged(path: Path, error: Exception, *, what: str) -> InputError:
    """Return the error that names a damaged file and the way out, in one line."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"{path}: not a readable {what} ({reason}); delete it and run snakemake again")
