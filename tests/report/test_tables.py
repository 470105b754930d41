"""The numbers of the report: read without guessing, joined over seeds, and shown under their right names."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.report.inputs import metric_rows, standard_metrics, write_metrics
from workflow_scripts.common.constants import METRIC_COLUMNS
from workflow_scripts.common.errors import InputError
from workflow_scripts.report.rows import named_alphas, oracle_alpha, summary_cell, table_rows, with_gain
from workflow_scripts.report.tables import (
    comparison_metrics,
    deciding_domain,
    domains_of,
    over_seeds,
    read_metrics,
    sorted_metrics,
)

DOMAINS = ["photo", "sketch", "mean", "held-out"]


@pytest.fixture
def means(tmp_path: Path) -> pd.DataFrame:
    return over_seeds(read_metrics(standard_metrics(tmp_path)))


def test_alphas_stay_texts_and_repeats_are_dropped(tmp_path: Path) -> None:
    path = write_metrics(tmp_path, metric_rows("plain"))
    table = read_metrics([path, path])
    assert len(table) == len(metric_rows("plain"))
    assert set(table["alpha"]) == {"0.00", "0.30", "0.50", "1.00"}
    assert table["seed"].tolist() == [0] * len(table)


@pytest.mark.parametrize("dropped", ["value", "label_set"])
def test_a_table_without_a_column_is_named(tmp_path: Path, dropped: str) -> None:
    path = tmp_path / "bad.csv"
    pd.DataFrame(metric_rows("plain")).drop(columns=dropped).to_csv(path, index=False)
    with pytest.raises(InputError, match=rf"bad\.csv: columns are missing: {dropped}; delete it"):
        read_metrics([path])


@pytest.mark.parametrize("content", ["", "a,b\n1,2,3,4\n5\n", None])
def test_an_unreadable_table_is_named_in_one_line(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=r"bad\.csv: ") as caught:
        read_metrics([path])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("column", "text"), [("value", "much"), ("low", ""), ("alpha", "half"), ("seed", "x")])
def test_a_text_where_a_number_belongs_is_named(tmp_path: Path, column: str, text: str) -> None:
    rows: list[dict[str, Any]] = metric_rows("plain")
    rows[3] = {**rows[3], column: text}
    with pytest.raises(InputError, match=f"metrics.csv: column {column} holds {text!r}, not a number"):
        read_metrics([write_metrics(tmp_path, rows)])


def test_what_is_no_metric_is_named(tmp_path: Path) -> None:
    rows = [{**row, "metric": "top2"} for row in metric_rows("plain")]
    with pytest.raises(InputError, match=r"plain\.csv: 'top2' is no metric; delete it and run snakemake again"):
        read_metrics([write_metrics(tmp_path, rows, "plain")])


def test_tables_that_disagree_are_refused(tmp_path: Path) -> None:
    first = write_metrics(tmp_path, metric_rows("plain"), "first")
    second = write_metrics(tmp_path, metric_rows("plain", shift=0.1), "second")
    with pytest.raises(InputError, match=r"disagree on dataset toys.*method plain.*alpha 0\.00, domain photo"):
        read_metrics([first, second])


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


def test_domains_stand_in_order_and_a_single_one_has_no_mean() -> None:
    table = pd.DataFrame({"domain": ["mean", "held-out", "sketch", "photo", "sketch"]})
    assert domains_of(table) == ["sketch", "photo", "mean", "held-out"]
    assert domains_of(table[table["domain"] != "sketch"]) == ["photo", "held-out"]
    assert deciding_domain(["sketch", "photo", "mean", "held-out"]) == "mean"
    assert deciding_domain(["photo", "held-out"]) == "photo"
    assert deciding_domain(["held-out"]) is None


def test_seeds_are_averaged_and_their_standard_deviation_is_kept(means: pd.DataFrame) -> None:
    row = means[(means["method"] == "plain") & (means["alpha"] == "0.50") & (means["domain"] == "photo")].iloc[0]
    assert row["metric"] == "top1"
    assert (row["value"], row["low"], row["high"]) == pytest.approx((0.81, 0.76, 0.85))
    assert row["seed_std"] == pytest.approx(0.02 / 2**0.5)
    assert row["seeds"] == 2
    assert set(means[means["method"] == "regft"]["seed_std"]) == {0.0}


def test_the_oracle_is_the_best_alpha_on_real_images(means: pd.DataFrame) -> None:
    assert oracle_alpha(means, method="plain", domains=DOMAINS) == "0.50"
    assert oracle_alpha(means, method="regft", domains=DOMAINS) == "1.00"
    assert oracle_alpha(means, method="student", domains=DOMAINS) is None
    assert oracle_alpha(means, method="plain", domains=["held-out"]) is None


def test_the_oracle_takes_the_smallest_of_equals_and_one_label_set() -> None:
    rows = [{**row, "value": 0.5} for row in metric_rows("plain")]
    tempting = [{**row, "label_set": "new", "value": 0.99} for row in rows if row["alpha"] == "1.00"]
    means = over_seeds(pd.DataFrame([*rows[::-1], *tempting]))
    assert oracle_alpha(means, method="plain", domains=DOMAINS) == "0.00"


def test_named_alphas() -> None:
    alphas = ["1.00", "0.00", "0.30", "0.50"]
    assert named_alphas(alphas, fixed_alpha="0.30", oracle="0.50") == [
        ("0.00", "pre-trained"),
        ("0.30", "fixed"),
        ("1.00", "fine-tuned"),
        ("0.50", "oracle"),
    ]
    assert named_alphas(["1.00"], fixed_alpha="0.50", oracle=None) == [("1.00", "only")]
    assert named_alphas(["0.50"], fixed_alpha="0.50", oracle=None) == [("0.50", "fixed")]
    # An alpha that was not measured has no row, and 0.90 is not called the fine-tuned endpoint.
    assert named_alphas(["0.10", "0.90"], fixed_alpha="0.50", oracle="0.90") == [("0.90", "oracle")]


def test_rows_of_the_headline_table(means: pd.DataFrame) -> None:
    rows = table_rows(means, domains=DOMAINS, fixed_alpha="0.30")
    assert [(row.method, row.alpha, row.role) for row in rows] == [
        ("zero-shot", "0.00", "zero-shot"),
        ("plain", "0.00", "pre-trained"),
        ("plain", "0.30", "fixed"),
        ("plain", "1.00", "fine-tuned"),
        ("plain", "0.50", "oracle"),
        ("regft", "0.00", "pre-trained"),
        ("regft", "0.30", "fixed"),
        ("regft", "1.00", "fine-tuned"),
        ("regft", "1.00", "oracle"),
        ("student", "1.00", "only"),
    ]
    assert rows[0].cells[3] is None
    assert [cell.value for cell in rows[2].cells if cell] == pytest.approx([0.79, 0.59, 0.69, 0.89])
    assert rows[4].why == "oracle, chosen on test images"


def test_zero_shot_with_another_head_stands_beside_the_plain_one(means: pd.DataFrame) -> None:
    other = means[means["method"] == "zero-shot"].assign(method="zero-shot.short")
    rows = table_rows(pd.concat([means, other]), domains=DOMAINS, fixed_alpha="0.30")
    assert [(row.method, row.alpha, row.role) for row in rows[:3]] == [
        ("zero-shot", "0.00", "zero-shot"),
        ("zero-shot.short", "0.00", "zero-shot"),
        ("plain", "0.00", "pre-trained"),
    ]


def test_the_best_is_never_an_oracle(means: pd.DataFrame) -> None:
    for metric, value in {"top1": 0.72, "nll": 0.28}.items():
        rows = table_rows(means, domains=["mean"], fixed_alpha="0.30", metric=metric)
        best = [(row.method, row.role, cell.value) for row in rows for cell in row.cells if cell and cell.best]
        assert [(method, role) for method, role, _ in best] == [("regft", "fine-tuned")]
        assert best[0][2] == pytest.approx(value)


def test_the_summary_takes_the_fixed_alpha(means: pd.DataFrame) -> None:
    def value(method: str, domains: list[str], fixed: str = "0.30") -> float | None:
        cell = summary_cell(means, method=method, domains=domains, fixed_alpha=fixed)
        return None if cell is None else cell.value

    assert value("plain", DOMAINS) == pytest.approx(0.69)
    assert value("zero-shot", DOMAINS) == pytest.approx(0.6)
    assert value("student", DOMAINS) == pytest.approx(0.66)
    assert value("plain", ["held-out"]) == pytest.approx(0.89)
    assert value("plain", DOMAINS, fixed="0.77") is None
    assert value("absent", DOMAINS) is None
    assert value("plain", []) is None


def test_the_gain_is_the_difference_to_the_reference(means: pd.DataFrame) -> None:
    cell, reference = (
        summary_cell(means, method=name, domains=DOMAINS, fixed_alpha="0.30") for name in ("plain", "zero-shot")
    )
    gained = with_gain(cell, reference=reference)
    assert gained is not None
    assert gained.gain == pytest.approx(0.09)
    assert with_gain(cell, reference=None) == cell
    assert with_gain(None, reference=reference) is None
