"""What a picker is given: what it says that it looks at, and nothing else."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts.common.constants import HELD_OUT
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.parquet import read_parquet
from workflow_scripts.common.selection_file import LooksAt
from workflow_scripts.evaluation.metric import metrics as all_metrics
from workflow_scripts.evaluation.metric_files import ALL_CLASSES, HEADLINE, deciding_domain, domains_of

ANSWERS = ("label", "true_logit", "image_id")
"""Columns of a score table that tell the label of an image: names of files may begin with that of its class."""


@dataclass(frozen=True, kw_only=True)
class SelectionInputs:
    """What one picker may look at of one run. It guards against mistakes, not against intent."""

    alphas: tuple[str, ...]
    looks_at: tuple[LooksAt, ...]
    metrics: pd.DataFrame
    """The run's metric table, without what it does not look at; of images without labels nothing is measured."""
    score_tables: Mapping[str, Path]
    """From each evaluation domain that it looks at to its scores."""

    @property
    def test_domains(self) -> tuple[str, ...]:
        """Return the real domains that it looks at, with labels or without."""
        return tuple(domain for domain in self.score_tables if domain != HELD_OUT)

    def values(self, metric: str, *, domain: str, label_set: str = ALL_CLASSES) -> dict[str, float]:
        """Return a metric at every alpha; empty where there are no images to measure it on.

        Args:
            metric: name of its module, as `top1`.
            domain: a real one, their `mean`, or `held-out`.
            label_set: classes that compete.

        Raises:
            InputError: there is no such metric, or the picker does not look at what it is measured on.
        """
        if metric not in all_metrics():
            raise InputError(f"{metric!r} is no metric (known: {', '.join(all_metrics())})")
        if (needed := "held-out" if domain == HELD_OUT else "test-labels") not in self.looks_at:
            raise InputError(f"a metric of {domain!r} is for pickers whose looks_at names {needed!r}")
        table = self.metrics
        chosen = table[(table["metric"] == metric) & (table["domain"] == domain) & (table["label_set"] == label_set)]
        return dict(zip(chosen["alpha"], chosen["value"].astype(float), strict=True))

    def accuracy_on_test_images(self) -> dict[str, float]:
        """Return top-1 accuracy at every alpha, on the mean of the real domains or the only one."""
        domain = deciding_domain(domains_of(self.metrics))
        return {} if domain is None else self.values(HEADLINE, domain=domain)

    def scores(self, domain: str, *, alpha: str, columns: Sequence[str], label_set: str = ALL_CLASSES) -> pa.Table:
        """Return the scores of a domain's images at an alpha: a row per image, in the same order at every alpha.

        Args:
            domain: one of `test_domains`, or `held-out`.
            alpha: one of `alphas`.
            columns: columns of the score table (`evaluation/score_table.py`).
            label_set: classes that compete.

        Raises:
            InputError: the picker does not look at this domain or at these columns, or the score table is unreadable.
        """
        if domain not in self.score_tables:
            raise InputError(f"{domain!r} was not scored, or is nothing that the picker's looks_at names")
        hidden = domain != HELD_OUT and "test-labels" not in self.looks_at
        answers = [name for name in columns if name in ANSWERS]
        if hidden and (answers or label_set != ALL_CLASSES):
            what = answers[0] if answers else f"label set {label_set!r}"
            raise InputError(f"{what} of {domain!r} tells labels: it is for pickers whose looks_at names 'test-labels'")
        needed = list(dict.fromkeys([*columns, "label_set", "image_id"]))
        table = read_parquet(self.score_tables[domain], what="score table", columns=needed, only=("alpha", alpha))
        table = table.filter(pc.equal(table["label_set"], label_set))
        if hidden:
            # Rows stand class by class.
            names = [hashlib.sha256(str(name).encode()).digest() for name in table["image_id"].to_pylist()]
            table = table.take(sorted(range(len(names)), key=names.__getitem__))
        return table.select(list(columns))


def visible_to(
    looks_at: tuple[LooksAt, ...], *, alphas: tuple[str, ...], metrics: pd.DataFrame, scores: Mapping[str, Path]
) -> SelectionInputs:
    """Return what a picker may look at.

    Args:
        looks_at: what it says that it looks at.
        alphas: alphas of the run.
        metrics: the run's metric table.
        scores: from each evaluation domain to its score table.
    """
    held_out, labels = "held-out" in looks_at, "test-labels" in looks_at
    is_held_out = metrics["domain"] == HELD_OUT
    images = labels or "test-images" in looks_at
    return SelectionInputs(
        alphas=alphas,
        looks_at=looks_at,
        metrics=metrics[(is_held_out & held_out) | (~is_held_out & labels)],
        score_tables={domain: path for domain, path in scores.items() if (held_out if domain == HELD_OUT else images)},
    )
