"""Gains of one row over another, on the same images."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.paired_gains import gain, right_of
from tests.workflow.harness import digits_with
from workflow_scripts.common.constants import HELD_OUT
from workflow_scripts.planning.layout import SCORES
from workflow_scripts.planning.plan import Plan

IMAGES = 400


def rows() -> tuple[np.ndarray, np.ndarray]:
    reference = np.random.default_rng(1).random((1, IMAGES)) < 0.5
    row = reference.copy()
    # Right on forty more images, whatever else it gets right.
    row[0, np.flatnonzero(~reference[0])[:40]] = True
    return row.astype(float), reference.astype(float)


def test_a_gain_is_paired() -> None:
    row, reference = rows()
    value, low, high = gain({"photo": row}, {"photo": reference})
    assert value == pytest.approx(0.1)
    # The deviation of forty gained images of four hundred is 0.015; that of two independent accuracies is 0.035.
    assert low == pytest.approx(0.1 - 1.96 * 0.015, abs=0.004)
    assert high == pytest.approx(0.1 + 1.96 * 0.015, abs=0.004)


def test_domains_count_alike_and_seeds_vary() -> None:
    row, reference = rows()
    better, worse = np.concatenate([row, row]), np.concatenate([reference, row])
    value, low, high = gain({"photo": worse, "sketch": reference}, {"photo": reference, "sketch": reference})
    assert value == pytest.approx(0.025)
    # One of two seeds gains nothing: a fourth of the resamples hold that seed alone.
    assert low == 0.0
    assert high > 0.05
    assert gain({"photo": better}, {"photo": better}) == (0.0, 0.0, 0.0)


def test_what_a_row_got_right_is_read_by_the_names_of_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = {"datasets": ["digits"], "sources": ["digits-diffusion"], "clips": ["digits-clip"]}
    plan = Plan(digits_with({"runs": [{**block, "methods": ["plain"], "seeds": [0, 1]}]}))
    runs = [run for run in plan.runs if run.method == "plain"]
    assert len(runs) == 2
    for run in runs:
        for domain in plan.evaluation_domains(run):
            # The second seed's images stand the other way round, and it errs on b alone; seed 0 errs on a.
            scores = [("a", 3, 3 if run.seed else 4), ("b", 5, 4 if run.seed else 5)]
            named = [(name, label, [top, 9], "1.00", "all") for name, label, top in scores[:: -1 if run.seed else 1]]
            rows = [*named, ("a", 3, [9, 3], "0.50", "all"), ("a", 0, [9, 3], "1.00", "new")]
            path = tmp_path / run.folder / domain / SCORES
            path.parent.mkdir(parents=True)
            columns = ("image_id", "label", "top_classes", "alpha", "label_set")
            pq.write_table(pa.table(dict(zip(columns, zip(*rows, strict=True), strict=True))), path)
    monkeypatch.chdir(tmp_path)
    right = right_of(plan, "plain@1.00", "all")
    assert list(right) == [domain for domain in plan.evaluation_domains(runs[0]) if domain != HELD_OUT]
    assert all(each.tolist() == [[0.0, 1.0], [1.0, 0.0]] for each in right.values())
    with pytest.raises(SystemExit, match=r"plain@0\.25: not scored at alpha 0\.25 within all classes"):
        right_of(plan, "plain@0.25", "all")
    with pytest.raises(SystemExit, match=r"plane@1\.00: no run of plane; there are plain, zero-shot"):
        right_of(plan, "plane@1.00", "all")
