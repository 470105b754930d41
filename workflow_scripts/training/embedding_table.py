"""Tables of image embeddings: one row per image of a domain, as a CLIP (or anyone who has one) sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import replacing
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.parquet import PARQUET_ERRORS, damaged, parquet_writer, read_parquet

Integers = npt.NDArray[np.int64]
Key = tuple[int, int]
"""Label, and index within the class."""


@dataclass(frozen=True)
class EmbeddingTable:
    """The embeddings of one domain: `values` is float32 (images, dimension); `rows` finds an image's row."""

    path: Path
    values: npt.NDArray[np.float32]
    rows: dict[Key, int]


def write_embeddings(path: Path, *, labels: Integers, indices: Integers, values: torch.Tensor) -> None:
    """Write a table of label, index and embedding (float32 list) that appears only when it is whole."""
    dimension = values.shape[1]
    flat = pa.array(values.float().cpu().contiguous().numpy().reshape(-1))
    table = pa.table(
        {
            "label": pa.array(labels, pa.int32()),
            "index": pa.array(indices, pa.int32()),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, dimension),
        }
    )
    with replacing(path) as temporary, parquet_writer(temporary, table.schema) as writer:
        writer.write_table(table)


def read_embeddings(path: Path) -> EmbeddingTable:
    """Read a table.

    Raises:
        InputError: the file is missing, unreadable or holds no embeddings.
    """
    table = read_parquet(path, what="table of embeddings", columns=["label", "index", "embedding"])
    try:
        flat = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        values = np.asarray(flat, dtype=np.float32).reshape(len(table), -1)
    except PARQUET_ERRORS as error:
        raise damaged(path, error, what="table of embeddings") from None
    keys = zip(table["label"].to_pylist(), table["index"].to_pylist(), strict=True)
    return EmbeddingTable(path, values, {key: number for number, key in enumerate(keys)})


def embeddings_of(images: DecodedImages, tables: Sequence[EmbeddingTable]) -> torch.Tensor:
    """Return the embedding of every decoded image (images, dimension); tables are in the order of the domains.

    Raises:
        InputError: there are not as many tables as domains, or one misses an image; it is named.
    """
    if len(tables) != len(images.domains):
        raise InputError(
            f"{len(tables)} tables of embeddings for {len(images.domains)} domains; does the method ask for them?"
        )
    embeddings = []
    for label, index, domain in zip(images.labels, images.index, images.domain, strict=True):
        row = tables[domain].rows.get((int(label), int(index)))
        if row is None:
            name = images.classes[label]
            raise InputError(f"{tables[domain].path}: no embedding of image {index} of class {name!r}; rebuild it")
        embeddings.append(tables[domain].values[row])
    return torch.from_numpy(np.stack(embeddings))
