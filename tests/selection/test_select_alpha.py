"""What pickers choose, what they may look at, and what stands in the file."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import pandas as pd
import pyarrow as pa
import pytest

from tests.report.inputs import metric_rows, write_metrics
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.parquet import parquet_writer
from workflow_scripts.common.selection_file import LooksAt, chosen_by, read_selection
from workflow_scripts.evaluation.metric_files import read_metrics
from workflow_scripts.selection import select_alpha
from workflow_scripts.selection.inputs import SelectionInputs, visible_to
from workflow_scripts.selection.picker import Pick, Picker, highest
from workflow_scripts.selection.pickers.oracle import Oracle

ALPHAS = ("0.00", "0.30", "0.50", "1.00")
FIXED = {"name": "mine", "module": "fixed", "settings": {"kind": "fixed", "alpha": "0.30"}}
ORACLE = {"name": "oracle", "module": "oracle", "settings": {"kind": "oracle"}}


def written(
    folder: Path, rows: list[dict[str, Any]] | None, *pickers: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    """Run the entry point's job and return the file's content."""
    settings: dict[str, Any] = {"dataset": "toys", "source": "gen", "clip": "clip", "method": "plain", "run_seed": 0}
    settings |= {"alphas": ALPHAS, "domains": [], "pickers": pickers or (FIXED, ORACLE), **changes}
    metrics = [] if rows is None else [write_metrics(folder, rows)]
    options = SimpleNamespace(
        settings=json.dumps(settings), metrics=metrics, scores=[], output=folder / "selection.json"
    )
    select_alpha.job(options)  # type: ignore[arg-type]
    content: dict[str, Any] = json.loads((folder / "selection.json").read_text())
    return content


def choices(content: dict[str, Any]) -> dict[str, Any]:
    return {choice["picker"]: choice["alpha"] for choice in content["choices"]}


def test_the_file_says_what_was_looked_at_and_the_criterion_at_every_alpha(tmp_path: Path) -> None:
    content = written(tmp_path, metric_rows("plain"))
    fixed, oracle = content["choices"]
    assert (fixed["picker"], fixed["alpha"], fixed["looked_at"], fixed["criterion"]) == ("mine", "0.30", [], None)
    assert fixed["values"] == {}
    assert (oracle["alpha"], oracle["looked_at"]) == ("0.50", ["test-labels"])
    assert oracle["criterion"] == "top-1 accuracy on real test images, the mean of their domains"
    assert oracle["values"] == pytest.approx({"0.00": 0.6, "0.30": 0.68, "0.50": 0.7, "1.00": 0.5})
    names = {key: content[key] for key in ("dataset", "source", "clip", "method", "seed")}
    assert names == {"dataset": "toys", "source": "gen", "clip": "clip", "method": "plain", "seed": 0}
    selection = read_selection(tmp_path / "selection.json")
    assert [choice.oracle for choice in selection.choices] == [False, True]
    assert chosen_by("mine", selection).alpha == "0.30"
    with pytest.raises(InputError, match=r"'fixed' is neither an alpha nor a picker .*\(pickers: mine, oracle\)"):
        chosen_by("fixed", selection)


def test_the_oracle_takes_the_smallest_of_equals_and_all_classes(tmp_path: Path) -> None:
    rows = [{**row, "value": 0.5} for row in metric_rows("plain")]
    tempting = [{**row, "label_set": "new", "value": 0.99} for row in rows if row["alpha"] == "1.00"]
    assert choices(written(tmp_path, [*rows[::-1], *tempting]))["oracle"] == "0.00"


def test_a_single_domain_has_no_mean(tmp_path: Path) -> None:
    assert choices(written(tmp_path, metric_rows("regft", domains=["photo", "held-out"])))["oracle"] == "1.00"


def test_without_real_images_the_oracle_chooses_nothing(tmp_path: Path) -> None:
    for rows in (metric_rows("plain", domains=["held-out"]), None):
        fixed, oracle = written(tmp_path, rows)["choices"]
        assert (fixed["alpha"], oracle["alpha"]) == ("0.30", None)
        assert (oracle["looked_at"], oracle["criterion"], oracle["values"]) == ([], None, {})


def test_of_a_single_alpha_there_is_no_choice(tmp_path: Path) -> None:
    content = written(tmp_path, metric_rows("student"), alphas=["1.00"])
    assert choices(content) == {"mine": "1.00", "oracle": "1.00"}
    assert [choice["looked_at"] for choice in content["choices"]] == [[], []]


@pytest.mark.parametrize(
    ("picker", "error"),
    [
        ({**FIXED, "module": "nobody"}, "selection.pickers.nobody: there is no such module"),
        (
            {**FIXED, "settings": {"kind": "fixed", "alpha": "0.40"}},
            "selection.pickers.fixed: '0.40' is not one of the",
        ),
        ({**FIXED, "settings": {"kind": "fixed", "alhpa": "0.30"}}, "alhpa: unknown key"),
    ],
)
def test_what_does_not_fit_is_named(picker: dict[str, Any], error: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=error):
        written(tmp_path, metric_rows("plain"), picker)


class Odd(Picker):
    """Picks what it was told to."""

    kind: Literal["odd"] = "odd"
    told: ClassVar[Pick] = Pick("0.30")
    criterion: ClassVar[str | None] = "oddness"

    def title(self) -> str:
        return "odd"

    def explanation(self) -> str:
        return "Oddly."

    def pick(self, inputs: SelectionInputs) -> Pick:
        return self.told


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Odd]]:
    monkeypatch.setattr(select_alpha, "kinds_of", lambda names, **_: {names[0]: Odd})
    yield Odd
    Odd.told, Odd.criterion = Pick("0.30"), "oddness"


@pytest.mark.parametrize(
    ("told", "criterion", "error"),
    [
        (Pick("0.30", {"0.30": float("nan")}), "oddness", "its criterion at alpha 0.30 is nan, not a finite number"),
        (Pick("0.30", {"0.31": 1.0}), "oddness", "'0.31' is not one of the run's alphas"),
        (Pick("0.30", {"0.30": 1.0}), None, "it compares values, and its criterion does not say what they are"),
        (Pick("0.30", {"0.30": 1.0}), "a\nb", "criterion: holds control characters"),
    ],
)
def test_what_a_new_picker_hands_over_is_looked_at(
    told: Pick, criterion: str | None, error: str, odd: type[Odd], tmp_path: Path
) -> None:
    odd.told, odd.criterion = told, criterion
    with pytest.raises(InputError, match=f"^selection.pickers.odd: {error}"):
        written(tmp_path, None, {"name": "odd", "module": "odd", "settings": {}})


def test_highest() -> None:
    assert highest({"0.50": 2.0, "0.10": 2.0, "1.00": 1.0}).alpha == "0.10"
    assert highest({}).alpha is None


def scores(path: Path) -> Path:
    table = pa.table(
        {
            "alpha": ["0.00", "0.00", "0.00", "1.00"],
            "label_set": ["all", "all", "new", "all"],
            "label": [1, 2, 3, 4],
            "true_logit": [1.0, 2.0, 3.0, 4.0],
            "log_sum_exp": [5.0, 6.0, 7.0, 8.0],
        }
    )
    path.parent.mkdir()
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table)
    return path


@pytest.mark.parametrize(
    ("looks_at", "domains", "measured", "labelled"),
    [
        ((), set(), set(), set()),
        (("held-out",), {"held-out"}, {"held-out"}, {"held-out"}),
        (("test-images",), {"photo"}, set(), set()),
        (("held-out", "test-images"), {"held-out", "photo"}, {"held-out"}, {"held-out"}),
        (("test-labels",), {"photo"}, {"photo", "sketch", "mean"}, {"photo"}),
    ],
)
def test_a_picker_sees_what_it_declares_and_nothing_else(
    looks_at: tuple[LooksAt, ...], domains: set[str], measured: set[str], labelled: set[str], tmp_path: Path
) -> None:
    metrics = read_metrics([write_metrics(tmp_path, metric_rows("plain"))])
    tables = {domain: scores(tmp_path / domain / "scores.parquet") for domain in ("photo", "held-out")}
    inputs = visible_to(looks_at, alphas=ALPHAS, metrics=metrics, scores=tables)
    assert set(inputs.metrics["domain"]) == measured
    assert set(inputs.score_tables) == domains
    for domain in tables:
        if domain not in domains:
            with pytest.raises(InputError, match=f"{domain}: .*looks_at"):
                inputs.scores(domain, alpha="0.00")
            continue
        table = inputs.scores(domain, alpha="0.00")
        assert table["log_sum_exp"].to_pylist() == [5.0, 6.0]
        assert {"label", "true_logit"} & set(table.column_names) == (
            {"label", "true_logit"} if domain in labelled else set()
        )


def test_values_of_a_metric(tmp_path: Path) -> None:
    metrics = read_metrics([write_metrics(tmp_path, metric_rows("plain"))])
    inputs = visible_to(Oracle.looks_at, alphas=ALPHAS, metrics=metrics, scores={})
    assert inputs.values("nll", domain="photo") == pytest.approx({"0.00": 0.4, "0.30": 0.32, "0.50": 0.3, "1.00": 0.5})
    assert inputs.values("nll", domain="held-out") == {}
    assert isinstance(inputs.metrics, pd.DataFrame)
