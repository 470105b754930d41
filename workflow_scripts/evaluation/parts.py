"""The score table's parts: one file per alpha, reused as long as nothing that it depends on has changed."""

import contextlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts.evaluation.scores import SCORE_COLUMNS
from workflow_scripts.ground.files import replacing

logger = logging.getLogger(__name__)


def part_path(scores: Path, alpha: str, digest: str) -> Path:
    """Return where the part of one alpha lies: beside the table, named by what its scores depend on."""
    return scores.with_name("scores.parts") / f"{alpha}-{digest}.parquet"


def reusable_alphas(scores: Path, alphas: Sequence[str], digest: str) -> list[str]:
    """Return the alphas whose part is there and readable; delete all parts with another digest or a damage."""
    folder = scores.with_name("scores.parts")
    reusable = []
    for path in sorted(folder.glob("*.parquet")):
        alpha, _, found = path.stem.rpartition("-")
        if found == digest and _is_readable(path):
            if alpha in alphas:
                reusable.append(alpha)
        else:
            logger.info("deleting %s: it belongs to other weights, images or code", path.name)
            path.unlink()
    return reusable


def _is_readable(path: Path) -> bool:
    try:
        return bool(pq.ParquetFile(path).schema_arrow.equals(SCORE_COLUMNS))
    except (OSError, pa.ArrowException):
        return False


def write_parts(scores: Path, tables: Iterable[tuple[str, pa.Table]], alphas: Sequence[str], digest: str) -> None:
    """Write the parts of several alphas side by side while their tables arrive; each appears only when it is whole."""
    with contextlib.ExitStack() as stack:
        writers = {}
        for alpha in alphas:
            temporary = stack.enter_context(replacing(part_path(scores, alpha, digest)))
            writers[alpha] = stack.enter_context(pq.ParquetWriter(temporary, SCORE_COLUMNS))
        for alpha, table in tables:
            writers[alpha].write_table(table)


def join_parts(scores: Path, alphas: Sequence[str], digest: str) -> int:
    """Put the score table together from its parts, in the order of the alphas; return the number of rows."""
    rows = 0
    with replacing(scores) as temporary, pq.ParquetWriter(temporary, SCORE_COLUMNS) as writer:
        for alpha in alphas:
            for batch in pq.ParquetFile(part_path(scores, alpha, digest)).iter_batches():
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows
