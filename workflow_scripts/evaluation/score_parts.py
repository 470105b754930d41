"""The score table's parts: one file per alpha, reused as long as nothing that it depends on has changed."""

import contextlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import replacing
from workflow_scripts.common.parquet import open_parquet, parquet_writer, verify_pages
from workflow_scripts.evaluation.score_table import SCORE_COLUMNS

logger = logging.getLogger(__name__)

_WHAT = "part of a score table"
_ROWS_AT_ONCE = 8192


def part_path(scores: Path, alpha: str, digest: str) -> Path:
    """Return where the part of one alpha lies: beside the table, named by what its scores depend on."""
    return scores.with_name("scores.parts") / f"{alpha}-{digest}.parquet"


def reusable_alphas(scores: Path, alphas: Sequence[str], digest: str) -> list[str]:
    """Return the alphas whose part is there and readable; delete damaged parts, and those of another digest.

    Args:
        scores: the score table.
        alphas: those that are wanted; further parts of the digest stay for when they are wanted again.
        digest: of what the scores at every alpha depend on.
    """
    wanted = {part_path(scores, alpha, digest): alpha for alpha in alphas}
    reusable = []
    for path in sorted(scores.with_name("scores.parts").glob("*.parquet")):
        if path in wanted and _is_readable(path):
            reusable.append(wanted[path])
        elif path in wanted or path.stem.rpartition("-")[2] != digest:
            logger.info("deleting %s: it belongs to other weights, images or code", path.name)
            path.unlink()
    return reusable


def _is_readable(path: Path) -> bool:
    try:
        verify_pages(path, what=_WHAT)
        return bool(open_parquet(path, what=_WHAT).schema_arrow.equals(SCORE_COLUMNS))
    except InputError:
        return False


def write_parts(scores: Path, tables: Iterable[tuple[str, pa.Table]], alphas: Sequence[str], digest: str) -> None:
    """Write the parts of several alphas side by side while their tables arrive; each appears only when it is whole."""
    with contextlib.ExitStack() as stack:
        writers = {}
        for alpha in alphas:
            temporary = stack.enter_context(replacing(part_path(scores, alpha, digest)))
            writers[alpha] = stack.enter_context(parquet_writer(temporary, SCORE_COLUMNS))
        for alpha, table in tables:
            writers[alpha].write_table(table)


def join_parts(scores: Path, alphas: Sequence[str], digest: str) -> int:
    """Put the score table together from its parts, in the order of the alphas; return the number of rows."""
    rows = 0
    with replacing(scores) as temporary, parquet_writer(temporary, SCORE_COLUMNS) as writer:
        for alpha in alphas:
            for batch in open_parquet(part_path(scores, alpha, digest), what=_WHAT).iter_batches(_ROWS_AT_ONCE):
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows
