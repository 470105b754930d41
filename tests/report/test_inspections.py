"""What the page says of drawn pictures: shares with intervals, copies, the worst classes."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from tests.report.inputs import figure_inputs, write_images
from workflow_scripts.report.figures.drawn import FIGURE
from workflow_scripts.report.inspections import (
    DrawnClass,
    drawn_classes,
    drawn_domains,
    read_inspections,
    share,
)

CLASSES = ("umbrella", "rocket", "cat")


def row(label: int, rank: int, predicted: str, **further: Any) -> dict[str, Any]:
    return {
        "label": label,
        "source": "gen",
        "domain": "solid",
        "rank": rank,
        "predicted": predicted,
        "nearest": 0.5,
        **further,
    }


ROWS = [
    row(0, 0, "umbrella"),
    row(0, 0, "umbrella", nearest=0.98),
    row(1, 6, "cat"),
    row(1, 1, "umbrella"),
    row(1, 2, "cat"),
    row(2, 0, "cat", domain="outline"),
    row(2, 3, "rocket", domain="outline", nearest=0.97),
    row(0, 0, "umbrella", source="real-test", nearest=None),
    row(1, 4, "cat", source="real-test", nearest=None),
]


def test_shares_by_domain_have_intervals_and_the_judges_own_share_beside_them() -> None:
    solid, outline = drawn_domains(pd.DataFrame(ROWS))
    assert (solid.domain, solid.images, solid.top1.value, solid.top5.value) == ("solid", 5, 0.4, 0.8)
    assert solid.copies is not None
    assert solid.copies.value == pytest.approx(0.2)
    assert solid.real is not None
    assert solid.real.value == 0.5
    assert (outline.images, outline.top1.value, outline.real) == (2, 0.5, None)
    assert outline.copies is not None
    assert outline.copies.value == 0.0


def test_the_interval_is_wilsons() -> None:
    # Brown, Cai and DasGupta 2001: 95 % for 4 of 20 is [0.0807, 0.4160].
    four = share(pd.Series([True] * 4 + [False] * 16))
    assert [four.low, four.high] == pytest.approx([0.0807, 0.4160], abs=5e-4)
    none = share(pd.Series([False] * 10))
    assert [none.value, none.low, none.high] == pytest.approx([0.0, 0.0, 0.2775], abs=5e-4)


def test_the_worst_classes_come_first_with_what_they_are_taken_for() -> None:
    assert drawn_classes(pd.DataFrame(ROWS), CLASSES) == [
        DrawnClass("rocket", 0.0, "cat"),
        DrawnClass("cat", 0.5, "rocket"),
        DrawnClass("umbrella", 1.0, ""),
    ]


def test_pictures_that_were_not_compared_have_no_share_of_copies() -> None:
    rows = [{**each, "nearest": None} for each in ROWS]
    assert [domain.copies for domain in drawn_domains(pd.DataFrame(rows))] == [None, None]


def test_the_figure_says_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "inspection.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    inputs = figure_inputs(
        training_images=[write_images(tmp_path, source="gen", domain="solid", classes=CLASSES)], inspections=[path]
    )
    texts = FIGURE.texts(inputs)
    assert (
        "solid: 5 pictures, 40.0 % [11.8, 76.9] recognized (real ones 50.0 % [9.5, 90.5]), 80.0 % among five"
        in texts.caption
    )
    assert "copies 20.0 % [3.6, 62.4]" in texts.caption
    assert texts.alt.endswith("recognized least: rocket, cat, umbrella.")
    assert isinstance(FIGURE.draw(inputs), Figure)


def test_without_a_judge_there_is_a_sentence() -> None:
    inputs = figure_inputs(training_images=[], inspections=[])
    assert FIGURE.draw(inputs) == (
        "No judge looked at drawn pictures: the data set names none (judge), or nothing was drawn."
    )
    assert read_inspections([]).empty
