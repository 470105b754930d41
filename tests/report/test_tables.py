"""The numbers of the report: read without guessing, joined over seeds, and shown under their right names."""

from pathlib import Path

import pandas as pd
import pytest

from tests.report.inputs import metric_rows, selection, selections_of, standard_metrics, write_metrics
from workflow_scripts.common.constants import METRIC_COLUMNS
from workflow_scripts.evaluation.metric_files import read_metrics
from workflow_scripts.report.roles import picker_texts, roles_of, with_roles
from workflow_scripts.report.rows import summary_cell, table_rows, with_gain
from workflow_scripts.report.tables import comparison_metrics, over_seeds, sorted_metrics

DOMAINS = ["photo", "sketch", "mean", "held-out"]


def by_role(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return means by role, with alpha 0.30 fixed beforehand."""
    return over_seeds(with_roles(metrics, selections_of(metrics)), by="role")


@pytest.fixture
def metrics(tmp_path: Path) -> pd.DataFrame:
    return read_metrics(standard_metrics(tmp_path))


@pytest.fixture
def means(metrics: pd.DataFrame) -> pd.DataFrame:
    return by_role(metrics)


def test_the_written_table_has_one_order(tmp_path: Path) -> None:
    paths = standard_metrics(tmp_path)
    forward, backward = (sorted_metrics(read_metrics(order)) for order in (paths, paths[::-1]))
    pd.testing.assert_frame_equal(forward, backward)
    keys = list(zip(forward["method"], forward["seed"], forward["alpha"].astype(float), strict=True))
    same_source = [key for key, source in zip(keys, forward["source"], strict=True) if source == "gen"]
    assert same_source == sorted(same_source)
    assert list(forward.columns) == list(METRIC_COLUMNS)


def test_a_comparison_takes_its_own_rows_and_zero_shot(tmp_path: Path) -> None:
    rows = [*metric_rows("zero-shot"), *metric_rows("plain"), *metric_rows("plain", dataset="others")]
    rows += [{**row, "source": "elsewhere"} for row in metric_rows("regft")]
    rows += [{**row, "source": "real-train"} for row in metric_rows("student")]
    rows += [{**row, "method": "of-another-comparison"} for row in metric_rows("plain")]
    table = comparison_metrics(
        read_metrics([write_metrics(tmp_path, rows)]),
        dataset="toys",
        source="gen",
        clip="clip",
        methods=["plain", "regft", "student"],
    )
    assert set(table["method"]) == {"zero-shot", "plain", "student"}
    assert set(table["dataset"]) == {"toys"}


def test_seeds_are_averaged_and_their_standard_deviation_is_kept(metrics: pd.DataFrame) -> None:
    means = over_seeds(metrics)
    row = means[(means["method"] == "plain") & (means["alpha"] == "0.50") & (means["domain"] == "photo")].iloc[0]
    assert row["metric"] == "top1"
    assert (row["value"], row["low"], row["high"]) == pytest.approx((0.81, 0.76, 0.85))
    assert row["seed_std"] == pytest.approx(0.02 / 2**0.5)
    assert row["seeds"] == 2
    assert set(means[means["method"] == "regft"]["seed_std"]) == {0.0}


def test_rows_of_the_headline_table(means: pd.DataFrame) -> None:
    rows = table_rows(means, domains=DOMAINS)
    assert [(row.method, row.alpha, row.role.kind) for row in rows] == [
        ("zero-shot", "0.00", "zero-shot"),
        ("plain", "0.00", "pre-trained"),
        ("plain", "0.30", "picked"),
        ("plain", "1.00", "fine-tuned"),
        ("plain", "0.50", "oracle"),
        ("regft", "0.00", "pre-trained"),
        ("regft", "0.30", "picked"),
        ("regft", "1.00", "fine-tuned"),
        ("regft", "1.00", "oracle"),
        ("student", "1.00", "only"),
    ]
    assert rows[0].cells[3] is None
    assert [cell.value for cell in rows[2].cells if cell] == pytest.approx([0.79, 0.59, 0.69, 0.89])
    assert rows[4].role.why == "oracle"


def test_zero_shot_with_another_head_stands_beside_the_plain_one(metrics: pd.DataFrame) -> None:
    other = metrics[metrics["method"] == "zero-shot"].assign(method="zero-shot.short")
    rows = table_rows(by_role(pd.concat([metrics, other])), domains=DOMAINS)
    assert [(row.method, row.alpha, row.role.kind) for row in rows[:3]] == [
        ("zero-shot", "0.00", "zero-shot"),
        ("zero-shot.short", "0.00", "zero-shot"),
        ("plain", "0.00", "pre-trained"),
    ]


def test_the_best_is_never_an_oracle(means: pd.DataFrame) -> None:
    for metric, value in {"top1": 0.72, "nll": 0.28}.items():
        rows = table_rows(means, domains=["mean"], metric=metric)
        best = [(row.method, row.role.kind, cell.value) for row in rows for cell in row.cells if cell and cell.best]
        assert [(method, role) for method, role, _ in best] == [("regft", "fine-tuned")]
        assert best[0][2] == pytest.approx(value)


def test_the_summary_takes_the_first_pick(means: pd.DataFrame) -> None:
    def value(method: str, domains: list[str]) -> float | None:
        cell = summary_cell(means, method=method, domains=domains)
        return None if cell is None else cell.value

    assert value("plain", DOMAINS) == pytest.approx(0.69)
    assert value("zero-shot", DOMAINS) == pytest.approx(0.6)
    assert value("student", DOMAINS) == pytest.approx(0.66)
    assert value("plain", ["held-out"]) == pytest.approx(0.89)
    assert value("absent", DOMAINS) is None
    assert value("plain", []) is None


def test_the_gain_is_the_difference_to_the_reference(means: pd.DataFrame) -> None:
    cell, reference = (summary_cell(means, method=name, domains=DOMAINS) for name in ("plain", "zero-shot"))
    gained = with_gain(cell, reference=reference)
    assert gained is not None
    assert gained.gain == pytest.approx(0.09)
    assert with_gain(cell, reference=None) == cell
    assert with_gain(None, reference=reference) is None


def test_roles_of_a_run() -> None:
    alphas = ["1.00", "0.00", "0.30", "0.50"]
    item = selection(alphas=alphas, fixed="0.30", held="1.00", oracle="0.50")
    assert [(alpha, role.why) for alpha, role in roles_of(item)] == [
        ("0.00", "pre-trained endpoint"),
        ("0.30", "fixed beforehand"),
        ("1.00", "by held"),
        ("1.00", "fine-tuned endpoint"),
        ("0.50", "oracle"),
    ]
    assert [role.in_summary for _, role in roles_of(item)] == [False, True, False, False, False]
    assert [role.oracle for _, role in roles_of(item)] == [False, False, False, False, True]
    (only,) = roles_of(selection(alphas=["1.00"], fixed="1.00", oracle="1.00"))
    assert (only[0], only[1].why, only[1].in_summary) == ("1.00", "the only one", True)
    # A picker that had nothing to look at has no row, and 0.90 is not called the fine-tuned endpoint.
    item = selection(alphas=["0.10", "0.90"], fixed="0.10", oracle=None)
    assert [(alpha, role.kind) for alpha, role in roles_of(item)] == [("0.10", "picked")]


def test_a_picker_that_chose_for_some_seeds_stands_where_it_belongs(metrics: pd.DataFrame) -> None:
    plain = metrics[metrics["method"] == "plain"]
    alphas = ["0.00", "0.30", "0.50", "1.00"]
    picks = [selection(seed=seed, alphas=alphas, held=held, oracle="0.50") for seed, held in ((0, None), (1, "1.00"))]
    rows = table_rows(over_seeds(with_roles(plain, picks), by="role"), domains=["photo"])
    whys = ["pre-trained endpoint", "fixed beforehand", "by held", "fine-tuned endpoint", "oracle"]
    assert [row.role.why for row in rows] == whys
    assert [item.title for item in picker_texts(picks)] == ["fixed beforehand", "by held", "oracle"]
    assert [item.chose_none for item in picker_texts(picks)] == [(), ("plain, seed 0",), ()]


def test_pickers_of_one_title_are_told_apart_by_their_names() -> None:
    item = selection(alphas=["0.00", "1.00"], fixed="0.00", oracle="1.00")
    first, oracle = item.choices
    twice = item.model_copy(update={"choices": (first, first.model_copy(update={"picker": "other"}), oracle)})
    texts = picker_texts([twice])
    assert [text.title for text in texts] == ["fixed beforehand (fixed)", "fixed beforehand (other)", "oracle"]


def test_seeds_with_picks_of_their_own_are_one_row(metrics: pd.DataFrame) -> None:
    plain = metrics[metrics["method"] == "plain"]
    alphas = ["0.00", "0.30", "0.50", "1.00"]
    picks = [selection(seed=seed, alphas=alphas, held=held, oracle=None) for seed, held in ((0, "0.30"), (1, "1.00"))]
    rows = table_rows(over_seeds(with_roles(plain, picks), by="role"), domains=["photo"])
    (row,) = [row for row in rows if row.role.why == "by held"]
    assert row.alpha == "0.30, 1.00"
    cell = row.cells[0]
    assert cell is not None
    # Seed 0 at 0.30: 78; seed 1, two points better, at 1.00: 62.
    assert cell.value == pytest.approx(0.70)
    assert cell.seeds == 2
    (texts,) = [item for item in picker_texts(picks) if item.title == "by held"]
    assert texts.alphas == ("0.30", "1.00")
