"""Scores of a classifier: what it owes to who scores it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from tests.training.tiny import CLASSES, CPU, tiny_images
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.evaluation.score_table import score_batches


@dataclass
class Answers:
    """A classifier that gives what it is told to: every picture is the first class's at alpha 0, else the last's."""

    given: tuple[str, ...]
    width: int = len(CLASSES)
    fill: float = 0.0
    classes: tuple[str, ...] = CLASSES
    preprocessing: Preprocessing = field(default_factory=lambda: Preprocessing(size=8, mean=(0.0,) * 3, std=(1.0,) * 3))

    def logits(self, pictures: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield an answer per alpha."""
        for alpha in self.given:
            values = torch.full((len(pictures), self.width), self.fill)
            values[:, 0 if float(alpha) == 0.0 else -1] += 1.0
            yield alpha, values


def scored(classifier: Answers, *, base: tuple[int, ...] | None = None) -> list[tuple[str, list[dict[str, object]]]]:
    tables = score_batches(
        tiny_images(9),
        classifier,
        alphas=["0.00", "1.00"],
        device=CPU,
        batch_size=4,
        full_logits=False,
        base=base,
    )
    return [(alpha, table.to_pylist()) for alpha, table in tables]


def test_every_batch_is_scored_at_every_alpha() -> None:
    tables = scored(Answers(("0.00", "1.00")))
    assert [(alpha, len(rows)) for alpha, rows in tables] == [
        ("0.00", 4), ("1.00", 4), ("0.00", 4), ("1.00", 4), ("0.00", 1), ("1.00", 1)
    ]  # fmt: skip
    assert {(alpha, row["top_classes"][0]) for alpha, rows in tables for row in rows} == {("0.00", 0), ("1.00", 5)}  # type: ignore[index]
    assert [row["image_id"] for alpha, rows in tables for row in rows if alpha == "1.00"] == [str(n) for n in range(9)]


def test_label_sets_hold_their_own_classes_alone() -> None:
    rows = [row for _, table in scored(Answers(("0.00", "1.00")), base=(0, 2)) for row in table]
    classes = {str(row["label_set"]): row["classes"] for row in rows}
    assert classes == {"all": 6, "base": 2, "new": 4}
    assert {row["label"] for row in rows if row["label_set"] == "base"} == {0, 1}


@pytest.mark.parametrize(
    ("classifier", "error"),
    [
        (Answers(()), "the classifier gave alphas none, not 0.00, 1.00"),
        (Answers(("0.00",)), "the classifier gave alphas 0.00, not 0.00, 1.00"),
        (Answers(("0.00", "0.00", "1.00")), "the classifier gave alphas 0.00, 0.00, 1.00, not 0.00, 1.00"),
        (Answers(("0.0", "1.00")), "the classifier gave alphas 0.0, 1.00, not 0.00, 1.00"),
        (Answers(("0.00", "1.00"), width=7), r"alpha 0.00: logits of shape \(4, 7\) for 4 pictures of 6 classes"),
        (Answers(("0.00", "1.00"), width=5), r"alpha 0.00: logits of shape \(4, 5\) for 4 pictures of 6 classes"),
        (Answers(("0.00", "1.00"), fill=float("nan")), "alpha 0.00: logits .* or not all are numbers"),
    ],
)
def test_what_a_classifier_owes_is_checked(classifier: Answers, error: str) -> None:
    with pytest.raises(InputError, match=error):
        scored(classifier)
