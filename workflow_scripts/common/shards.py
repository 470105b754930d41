"""Image shards: parquet files that the `datasets` library reads as images, and the manifests that list them."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import canonical_json, replacing, write_json
from workflow_scripts.common.manifests import describe_files, read_manifest, verify_file
from workflow_scripts.common.parquet import PARQUET_ERRORS, damaged, open_parquet, parquet_writer, verify_pages
from workflow_scripts.common.splits import Flags, domainbed_split, last_of_each_class

logger = logging.getLogger(__name__)

ROWS_PER_GROUP = 100
_CREDIT = ("collection", "author", "license")
METADATA_KEY = b"nameonly"

_COLUMNS = pa.schema(
    [
        pa.field("image", pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])),
        pa.field("label", pa.int32()),
        pa.field("class_name", pa.string()),
        pa.field("prompt", pa.string()),
        pa.field("domain", pa.string()),
        pa.field("index", pa.int32()),
        pa.field("seed", pa.int64()),
        pa.field("image_id", pa.string()),
        *(pa.field(name, pa.string()) for name in _CREDIT),
    ]
)


@dataclass(frozen=True, order=True)
class Credit:
    """Whose picture it is: the set that it is from, who made it, and under which licence (SPDX) it may be used."""

    collection: str
    author: str
    license: str


@dataclass(frozen=True, kw_only=True)
class ImageRow:
    """One image of a shard.

    `domain` is the domain it was generated for or belongs to. `index` counts within the class. `image_id`
    names the picture that it shows: the same photo in two domains has one name. `checks` says of each check whether it
    found a reason to leave the image out (None: it cannot say); each is a column. `credit` stands where somebody is
    to be named.
    """

    image: bytes
    label: int
    class_name: str
    domain: str
    index: int
    image_id: str
    prompt: str | None = None
    seed: int | None = None
    credit: Credit | None = None
    checks: Mapping[str, bool | None] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the row in the shard's columns."""
        values = {name: value for name, value in vars(self).items() if name not in ("checks", "credit")}
        credit = {} if self.credit is None else vars(self.credit)
        return {**values, **credit, **self.checks, "image": {"bytes": self.image, "path": None}}


def reasons(checks: Mapping[str, bool | None]) -> tuple[str, ...]:
    """Return the checks that found a reason to leave an image out: it is usable if none did."""
    return tuple(name for name, found in checks.items() if found)


def counted(found: Counter[tuple[str, ...]]) -> str:
    """Return in words how many images are left out for which reasons: `5 black, 1 flagged and black`."""
    return ", ".join(f"{count} {' and '.join(names)}" for names, count in found.items())


def _schema(provenance: dict[str, Any], checks: Sequence[str]) -> pa.Schema:
    if taken := [name for name in checks if name in _COLUMNS.names]:
        raise InputError(f"check {taken[0]!r}: every shard has a column of this name; choose another")
    columns = pa.schema([*_COLUMNS, *(pa.field(name, pa.bool_()) for name in checks)])
    features: dict[str, Any] = {
        field.name: {"dtype": str(field.type), "_type": "Value"} for field in columns if field.name != "image"
    }
    features["image"] = {"_type": "Image"}
    return columns.with_metadata(
        {METADATA_KEY: canonical_json(provenance), b"huggingface": canonical_json({"info": {"features": features}})}
    )


def write_shard(path: Path, rows: Iterable[ImageRow], *, provenance: dict[str, Any], checks: Sequence[str] = ()) -> int:
    """Write rows to a shard that appears only when it is whole; return their number.

    Args:
        path: the shard's final name.
        rows: consumed one row group at a time.
        provenance: what made the images, stored in the schema's metadata; no times and no host names.
        checks: what the images were checked for, a column each.

    Raises:
        InputError: a check has the name of another column.
    """
    schema = _schema(provenance, checks)
    written = 0
    with replacing(path) as temporary, parquet_writer(temporary, schema) as writer:
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist([row.as_dict() for row in group], schema=schema))
            written += len(group)
    return written


def _groups(rows: Iterable[ImageRow]) -> Iterator[list[ImageRow]]:
    group: list[ImageRow] = []
    for row in rows:
        group.append(row)
        if len(group) == ROWS_PER_GROUP:
            yield group
            group = []
    if group:
        yield group


def open_shard(path: Path) -> pq.ParquetFile:
    """Open a shard for reading.

    Raises:
        InputError: the file cannot be read as a shard.
    """
    file = open_parquet(path, what="shard")
    missing = set(_COLUMNS.names) - set(file.schema_arrow.names)
    if missing:
        raise InputError(f"{path}: not an image shard, columns are missing: {', '.join(sorted(missing))}")
    return file


def checks_of(file: pq.ParquetFile) -> list[str]:
    """Return what the images of an open shard were checked for: the columns that not every shard has."""
    return [name for name in file.schema_arrow.names if name not in _COLUMNS.names]


def provenance_of(file: pq.ParquetFile) -> dict[str, Any]:
    """Return what made the images of an open shard."""
    content = json.loads((file.schema_arrow.metadata or {}).get(METADATA_KEY, b"{}"))
    return dict(content)


def write_image_manifest(
    path: Path, shards: Sequence[Path], *, dataset: str, source: str, domain: str, split_seed: int | None = None
) -> None:
    """List the shards of one domain of one source, with rows, sha256, class names and provenance.

    Args:
        path: the manifest's name.
        shards: the shards.
        dataset: name of the task.
        source: the generator's name, "real-train" or "real-test".
        domain: their domain.
        split_seed: of DomainBed's random split; if None, the last fifth of each class is held out.

    Raises:
        InputError: a shard is unreadable, or the shards' class names differ, or there is no image at all.
    """
    contents = [_shard_content(shard) for shard in shards]
    classes = contents[0].provenance["classes"]
    for shard, content in zip(shards, contents, strict=True):
        if content.provenance["classes"] != classes:
            raise InputError(
                f"{shard}: its class names are not those of {shards[0]}; delete both and run snakemake again"
            )
    images = sum(content.rows for content in contents)
    if not images:
        raise InputError(f"{path.parent}: no image in any shard; check the data set's folders and counts")
    distinct = len(pc.unique(pa.concat_arrays([content.ids for content in contents])))
    if distinct < images:
        raise InputError(f"{path.parent}: {images} images have {distinct} names; every image of a domain has its own")
    rows = {str(shard.relative_to(path.parent)): content.rows for shard, content in zip(shards, contents, strict=True)}
    write_json(
        path,
        {
            "dataset": dataset,
            "source": source,
            "domain": domain,
            "classes": classes,
            "images": images,
            "counts": np.max([content.counts for content in contents], axis=0).tolist(),
            "split_seed": split_seed,
            "credits": _credited([content.credits for content in contents]),
            "provenance": {key: value for key, value in contents[0].provenance.items() if key not in _PER_SHARD},
            "shards": [{**entry, "rows": rows[entry["file"]]} for entry in describe_files(path.parent, list(rows))],
        },
    )


@dataclass(frozen=True)
class _ShardContent:
    rows: int
    counts: npt.NDArray[np.int64]
    """One more than the largest index of each class."""
    provenance: dict[str, Any]
    ids: pa.Array
    credits: Counter[Credit]


def _credited(counts: Sequence[Counter[Credit]]) -> list[dict[str, Any]]:
    total = sum(counts, Counter())
    return [{**vars(credit), "images": images} for credit, images in sorted(total.items())]


def _shard_content(shard: Path) -> _ShardContent:
    # A manifest vouches for its shards: what was damaged after it was written must not get in.
    verify_pages(shard, what="shard")
    file = open_shard(shard)
    provenance = provenance_of(file)
    columns = file.read(columns=["label", "index", "image_id", *_CREDIT])
    counts = np.zeros(len(provenance["classes"]), dtype=np.int64)
    np.maximum.at(counts, columns["label"].to_numpy(), columns["index"].to_numpy() + 1)
    ids = pc.unique(columns["image_id"])
    named = columns.select(_CREDIT).filter(pc.is_valid(columns["author"])).to_pylist()
    return _ShardContent(file.metadata.num_rows, counts, provenance, ids, Counter(Credit(**row) for row in named))


_PER_SHARD = ("classes", "first_index", "indices", "shard")


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """The images of one domain of one source, as its manifest lists them."""

    manifest: Path
    dataset: str
    source: str
    domain: str
    classes: tuple[str, ...]
    images: int
    counts: tuple[int, ...]
    """Images of each class."""
    split_seed: int | None
    shards: tuple[Path, ...]

    @cached_property
    def _held_out(self) -> Flags:
        if self.split_seed is None:
            return last_of_each_class(self.counts)
        return domainbed_split(self.counts, seed=self.split_seed)

    def is_held_out(self, label: int, index: int) -> bool:
        """Return whether no training may see the image of that index within its class."""
        return bool(self._held_out[label][index])

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows of all shards, in order, one row group at a time in memory.

        Each has under `found` the checks that found a reason to leave the image out: an image is usable if none did.

        Args:
            columns: those that are wanted; all if None.

        Raises:
            InputError: a shard cannot be read to its end; it is named.
        """
        for shard in self.shards:
            file = open_shard(shard)
            checks = checks_of(file)
            wanted = None if columns is None else [*columns, *checks]
            try:
                for batch in file.iter_batches(batch_size=ROWS_PER_GROUP, columns=wanted):
                    for row in batch.to_pylist():
                        yield {**row, "found": reasons({name: row[name] for name in checks})}
            except PARQUET_ERRORS as error:
                raise damaged(shard, error, what="shard") from None


def load_image_set(manifest: Path) -> ImageSet:
    """Read a manifest and compare each of its shards with the recorded sha256.

    Raises:
        InputError: the manifest or a shard is missing or damaged.
    """
    content = read_manifest(manifest)
    for entry in content["shards"]:
        verify_file(manifest.parent / entry["file"], entry["sha256"], manifest)
    return ImageSet(
        manifest=manifest,
        dataset=content["dataset"],
        source=content["source"],
        domain=content["domain"],
        classes=tuple(content["classes"]),
        images=content["images"],
        counts=tuple(content["counts"]),
        split_seed=content["split_seed"],
        shards=tuple(manifest.parent / entry["file"] for entry in content["shards"]),
    )
