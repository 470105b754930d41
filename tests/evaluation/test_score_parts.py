"""Parts of score tables: only what is missing is computed, what is stale goes."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workflow_scripts.evaluation.score_parts import join_parts, part_path, reusable_alphas, write_parts
from workflow_scripts.evaluation.score_table import SCORE_COLUMNS


def table(alpha: str, rows: int = 2) -> pa.Table:
    row = dict.fromkeys(SCORE_COLUMNS.names) | {"alpha": alpha, "label": 1}
    return pa.Table.from_pylist([row] * rows, schema=SCORE_COLUMNS)


def test_parts_are_reused_and_joined_in_order(tmp_path: Path) -> None:
    scores = tmp_path / "scores.parquet"
    write_parts(scores, [("0.00", table("0.00")), ("1.00", table("1.00"))], ["0.00", "1.00"], "new")
    assert reusable_alphas(scores, ["0.00", "0.50", "1.00"], "new") == ["0.00", "1.00"]
    write_parts(scores, [("0.50", table("0.50"))], ["0.50"], "new")
    assert join_parts(scores, ["1.00", "0.50", "0.00"], "new") == 6
    assert pq.read_table(scores)["alpha"].to_pylist() == ["1.00"] * 2 + ["0.50"] * 2 + ["0.00"] * 2


def test_other_digests_and_damage_are_deleted(tmp_path: Path) -> None:
    scores = tmp_path / "scores.parquet"
    write_parts(scores, [("0.00", table("0.00"))], ["0.00"], "old")
    damaged = part_path(scores, "1.00", "new")
    damaged.write_bytes(b"cut")
    assert reusable_alphas(scores, ["0.00", "1.00"], "new") == []
    assert list(damaged.parent.iterdir()) == []


def test_an_interrupted_pass_leaves_no_part(tmp_path: Path) -> None:
    def tables():
        yield "0.00", table("0.00")
        raise RuntimeError("interrupted")

    scores = tmp_path / "scores.parquet"
    with pytest.raises(RuntimeError, match="interrupted"):
        write_parts(scores, tables(), ["0.00", "1.00"], "new")
    assert list(scores.with_name("scores.parts").iterdir()) == []


def test_parts_of_alphas_that_are_not_wanted_now_stay(tmp_path: Path) -> None:
    scores = tmp_path / "scores.parquet"
    write_parts(scores, [("0.00", table("0.00")), ("1.00", table("1.00"))], ["0.00", "1.00"], "new")
    assert reusable_alphas(scores, ["0.00"], "new") == ["0.00"]
    assert part_path(scores, "1.00", "new").exists()
