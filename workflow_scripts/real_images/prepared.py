"""The table of pictures that a kind of data set prepares in one job, and that its shards and corpora are taken from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import canonical_json, replacing
from workflow_scripts.common.parquet import open_parquet, parquet_writer, read_parquet
from workflow_scripts.common.shards import Credit
from workflow_scripts.real_images.pictures import Pictures

OTHER = -1
"""Label of what is called by no class's name."""

COLUMNS = pa.schema(
    [
        pa.field("image", pa.binary()),
        pa.field("source", pa.string()),
        pa.field("domain", pa.string()),
        pa.field("label", pa.int32()),
        pa.field("name", pa.string()),
        pa.field("image_id", pa.string()),
        pa.field("collection", pa.string()),
        pa.field("author", pa.string()),
        pa.field("license", pa.string()),
    ]
)
_KEY = b"nameonly"
_ROWS_PER_GROUP = 2000


@dataclass(frozen=True, kw_only=True)
class PreparedRow:
    """One picture: its file, whether it is a training or a test picture, what it shows, and whose it is."""

    image: bytes
    source: str
    domain: str
    label: int
    """Number of its class; -1 if it shows something else."""
    name: str
    """What it is called."""
    image_id: str
    collection: str
    """Title of the set that it is from."""
    author: str
    license: str
    """SPDX identifier."""


@dataclass(frozen=True)
class Prepared:
    """What a kind of data set prepares: pictures, and what is said of all of them."""

    rows: Iterator[PreparedRow]
    provenance: dict[str, Any]


def write_prepared(path: Path, prepared: Prepared) -> int:
    """Write pictures to a table that appears only when it is whole; return their number."""
    schema = COLUMNS.with_metadata({_KEY: canonical_json(prepared.provenance)})
    written = 0
    group: list[dict[str, Any]] = []
    with replacing(path) as temporary, parquet_writer(temporary, schema) as writer:
        for row in prepared.rows:
            group.append(vars(row))
            if len(group) == _ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
                written, group = written + len(group), []
        writer.write_table(pa.Table.from_pylist(group, schema=schema))
    return written + len(group)


def read_prepared(path: Path, *, source: str, domain: str | None = None) -> pa.Table:
    """Return the pictures of a source, in one domain or in all, in the order of the table.

    Raises:
        InputError: the table is missing or damaged, or has no such picture.
    """
    table = read_parquet(path, what="table of prepared pictures", columns=COLUMNS.names, only=("source", source))
    if domain is not None:
        table = table.filter(pc.equal(table["domain"], domain))
    if not len(table):
        raise InputError(f"{path}: no {source} picture{'' if domain is None else f' in domain {domain!r}'}")
    return table


def read_provenance(path: Path) -> dict[str, Any]:
    """Return what the kind of data set said of all pictures of a table.

    Raises:
        InputError: the table is missing or damaged.
    """
    metadata = open_parquet(path, what="table of prepared pictures").schema_arrow.metadata or {}
    content: dict[str, Any] = json.loads(metadata.get(_KEY, b"{}"))
    return content


def prepared_pictures(path: Path, *, source: str, domain: str) -> Pictures:
    """Return the pictures of the classes, of a source in a domain, in the order of the table."""
    table = read_prepared(path, source=source, domain=domain)
    table = table.filter(pc.greater_equal(table["label"], 0))
    images, ids = table["image"], table["image_id"].to_pylist()
    credits_ = table.select(["collection", "author", "license"]).to_pylist()
    return Pictures(
        labels=table["label"].to_numpy().astype(np.int64),
        image_id=lambda number: str(ids[number]),
        read=lambda block: (images[number].as_py() for number in block),
        credit=lambda number: Credit(**credits_[number]),
    )
