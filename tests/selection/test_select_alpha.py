"""What pickers choose, what they may look at, and what stands in the file."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import numpy as np
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
from workflow_scripts.selection.pickers import registry
from workflow_scripts.selection.pickers.fixed import Fixed
from workflow_scripts.selection.pickers.oracle import Oracle
from workflow_scripts.selection.pickers.registry import named_picker

ALPHAS = ("0.00", "0.30", "0.50", "1.00")
FIXED = named_picker("mine", Fixed(kind="fixed", alpha="0.30")).model_dump(mode="json")
ORACLE = named_picker("oracle", Oracle(kind="oracle")).model_dump(mode="json")


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
    assert oracle["criterion"] == "top-1 accuracy on the real test images (the mean of their domains)"
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
        assert (oracle["criterion"], oracle["values"]) == (None, {})


def test_of_a_single_alpha_there_is_no_choice(tmp_path: Path) -> None:
    content = written(tmp_path, metric_rows("student"), alphas=["1.00"])
    assert choices(content) == {"mine": "1.00", "oracle": "1.00"}
    assert {choice["title"] for choice in content["choices"]} == {"the only alpha"}
    assert [choice["looked_at"] for choice in content["choices"]] == [[], []]


def test_the_first_must_choose(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pickers\.oracle: it chose none of 0\.00, .*, and it is the first"):
        written(tmp_path, None, ORACLE, FIXED)


@pytest.mark.parametrize(
    ("picker", "error"),
    [
        ({**FIXED, "module": "nobody"}, "selection.pickers.nobody: there is no such module"),
        (
            {**FIXED, "settings": {"kind": "fixed", "alpha": "0.40"}},
            "pickers.mine: '0.40' is not one of the",
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
    told: ClassVar[Any] = Pick("0.30")

    def title(self) -> str:
        return "odd"

    def explanation(self) -> str:
        return "Oddly."

    def pick(self, inputs: SelectionInputs) -> Pick:
        if isinstance(self.told, dict):
            return highest(inputs.values(**self.told))
        told: Pick = self.told
        return told


ODD = {"name": "strange", "module": "odd", "settings": {"kind": "odd"}, "title": "odd", "explanation": "Oddly."}
ODD |= {"looks_at": ["held-out"], "criterion": "oddness"}


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (Pick("0.30", {"0.30": float("nan")}), "its criterion at alpha 0.30 is nan, not a finite number"),
        (Pick("0.30", {"0.30": "much"}), "its criterion at alpha 0.30 is 'much', not a finite number"),  # type: ignore[dict-item]
        (Pick("0.30", {"0.31": 1.0}), "'0.31' is not one of the run's alphas"),
        (Pick(0.3), "0.3 is not one of the run's alphas"),  # type: ignore[arg-type]
        ("0.30", "its choice is a str; it must return a Pick"),
        (None, "its choice is a NoneType; it must return a Pick"),
        ({"metric": "accuracy", "domain": "held-out"}, "'accuracy' is no metric .known: top1, top5"),
        ({"metric": "top1", "domain": "mean"}, "a metric of 'mean' is for pickers whose looks_at names 'test-labels'"),
    ],
)
def test_what_a_new_picker_hands_over_is_looked_at(
    told: Any, error: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(select_alpha, "kinds_of", lambda names, **_: {names[0]: Odd})
    monkeypatch.setattr(Odd, "told", told)
    with pytest.raises(InputError, match=f"^pickers.strange: {error}"):
        written(tmp_path, metric_rows("plain"), ODD)


def test_numbers_of_numpy_are_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(select_alpha, "kinds_of", lambda names, **_: {names[0]: Odd})
    monkeypatch.setattr(Odd, "told", Pick("0.30", {"0.30": np.float32(0.5), "0.50": np.int64(2)}))  # type: ignore[dict-item]
    (choice,) = written(tmp_path, None, ODD)["choices"]
    assert choice["values"] == {"0.30": 0.5, "0.50": 2.0}


@pytest.mark.parametrize(
    ("attribute", "value", "error"),
    [
        ("title", lambda _: "", "title: "),
        ("explanation", lambda _: "a\nb", "explanation: holds control characters"),
        ("looks_at", ("held-out",), "criterion: missing; it looks at images, and must say what it compares"),
    ],
)
def test_what_a_picker_says_of_itself_is_looked_at_before_any_job(
    attribute: str, value: Any, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.KINDS, "odd", Odd)
    assert registry.named_picker("mine", Odd()).module == "odd"
    monkeypatch.setattr(Odd, attribute, value)
    with pytest.raises(InputError, match=f"^{error}"):
        registry.named_picker("mine", Odd())


def test_highest() -> None:
    assert highest({"0.50": 2.0, "0.10": 2.0, "1.00": 1.0}).alpha == "0.10"
    assert highest({}).alpha is None


def scores(path: Path) -> Path:
    table = pa.table(
        {
            "alpha": ["0.00", "0.00", "0.00", "1.00", "0.00"],
            "label_set": ["all", "all", "new", "all", "all"],
            "image_id": ["photo/cat/1.png", "photo/cat/2.png", "photo/cat/1.png", "photo/cat/1.png", "photo/dog/1.png"],
            "label": [0, 0, 0, 0, 1],
            "true_logit": [1.0, 2.0, 3.0, 4.0, 5.0],
            "log_sum_exp": [5.0, 6.0, 7.0, 8.0, 9.0],
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
    assert inputs.test_domains == (("photo",) if "photo" in domains else ())
    for domain in tables:
        if domain not in domains:
            with pytest.raises(InputError, match=f"'{domain}' was not scored, or is nothing that .*looks_at"):
                inputs.scores(domain, alpha="0.00", columns=["log_sum_exp"])
            continue
        table = inputs.scores(domain, alpha="0.00", columns=["log_sum_exp"])
        assert sorted(table["log_sum_exp"].to_pylist()) == [5.0, 6.0, 9.0]
        assert table.column_names == ["log_sum_exp"]
        if domain in labelled:
            assert inputs.scores(domain, alpha="0.00", columns=["label"])["label"].to_pylist() == [0, 0, 1]
            assert len(inputs.scores(domain, alpha="0.00", columns=["label"], label_set="new")) == 1
            continue
        for answer in ("label", "true_logit", "image_id"):
            with pytest.raises(InputError, match=f"{answer} of '{domain}' tells labels: .*'test-labels'"):
                inputs.scores(domain, alpha="0.00", columns=["log_sum_exp", answer])
        with pytest.raises(InputError, match="label set 'new' of 'photo' tells labels"):
            inputs.scores(domain, alpha="0.00", columns=["log_sum_exp"], label_set="new")


def test_rows_without_labels_stand_in_no_order_of_classes(tmp_path: Path) -> None:
    names = [f"photo/{name}/{number}.png" for name in ("cat", "dog") for number in range(50)]
    columns = {"alpha": ["0.00", "1.00"] * 100, "image_id": [name for name in names for _ in range(2)]}
    table = pa.table({**columns, "label_set": ["all"] * 200, "log_sum_exp": [n // 2 for n in range(200)]})
    with parquet_writer(tmp_path / "scores.parquet", table.schema) as writer:
        writer.write_table(table)
    metrics = read_metrics([write_metrics(tmp_path, metric_rows("plain"))])
    paths = {"photo": tmp_path / "scores.parquet"}
    inputs = visible_to(("test-images",), alphas=ALPHAS, metrics=metrics, scores=paths)
    orders = [
        inputs.scores("photo", alpha=a, columns=["log_sum_exp"])["log_sum_exp"].to_pylist() for a in ("0.00", "1.00")
    ]
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == list(range(100))
    assert 15 < sum(number < 50 for number in orders[0][:50]) < 35


def test_values_of_a_metric(tmp_path: Path) -> None:
    metrics = read_metrics([write_metrics(tmp_path, metric_rows("plain"))])
    inputs = visible_to(Oracle.looks_at, alphas=ALPHAS, metrics=metrics, scores={})
    assert inputs.values("nll", domain="photo") == pytest.approx({"0.00": 0.4, "0.30": 0.32, "0.50": 0.3, "1.00": 0.5})
    assert inputs.values("nll", domain="painting") == {}
    with pytest.raises(InputError, match="a metric of 'held-out' is for pickers whose looks_at names 'held-out'"):
        inputs.values("nll", domain="held-out")
