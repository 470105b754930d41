"""Metric tables are read without guessing."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.report.inputs import metric_rows, write_metrics
from workflow_scripts.common.errors import InputError
from workflow_scripts.evaluation.metric_files import deciding_domain, domains_of, read_metrics


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


def test_domains_stand_in_order_and_a_single_one_has_no_mean() -> None:
    table = pd.DataFrame({"domain": ["mean", "held-out", "sketch", "photo", "sketch"]})
    assert domains_of(table) == ["sketch", "photo", "mean", "held-out"]
    assert domains_of(table[table["domain"] != "sketch"]) == ["photo", "held-out"]
    assert deciding_domain(["sketch", "photo", "mean", "held-out"]) == "mean"
    assert deciding_domain(["photo", "held-out"]) == "photo"
    assert deciding_domain(["held-out"]) is None
