"""What a picker is given: what it says that it looks at, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from workflow_scripts.common.constants import HELD_OUT
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.parquet import read_parquet
from workflow_scripts.common.selection_file import LooksAt
from workflow_scripts.evaluation.metric_files import ALL_CLASSES, HEADLINE, deciding_domain, domains_of

ANSWERS = ("label", "true_logit")
"""Columns of a score table that tell the label of an image."""


@dataclass(frozen=True, kw_only=True)
class SelectionInputs:
    """What one picker may look at of one run."""

    alphas: tuple[str, ...]
    metrics: pd.DataFrame
    """The run's metric table, without the rows that it may not look at: what was measured took labels."""
    score_tables: Mapping[str, Path]
    """From each evaluation domain that it may look at to its scores."""
    without_labels: tuple[str, ...]
    """Domains of which it sees scores without labels."""

    def values(self, metric: str, *, domain: str, label_set: str = ALL_CLASSES) -> dict[str, float]:
        """Return a metric at every alpha; empty where it was not measured, or may not be looked at."""
        table = self.metrics
        chosen = table[(table["metric"] == metric) & (table["domain"] == domain) & (table["label_set"] == label_set)]
        return dict(zip(chosen["alpha"], chosen["value"].astype(float), strict=True))

    def accuracy_on_test_images(self) -> dict[str, float]:
        """Return top-1 accuracy at every alpha, on the mean of the real domains or the only one."""
        domain = deciding_domain(domains_of(self.metrics))
        return {} if domain is None else self.values(HEADLINE, domain=domain)

    def scores(self, domain: str, *, alpha: str, label_set: str = ALL_CLASSES) -> pa.Table:
        """Return the scores of a domain's images at an alpha, a row per image, without answers that are not for it.

        Raises:
            InputError: the picker does not look at this domain, or its score table is unreadable.
        """
        if domain not in self.score_tables:
            raise InputError(f"{domain}: was not scored, or is nothing that the picker's looks_at names")
        table = read_parquet(self.score_tables[domain], what="score table", only=("alpha", alpha))
        table = table.filter(pa.compute.equal(table["label_set"], label_set))
        return table.drop_columns(list(ANSWERS)) if domain in self.without_labels else table


def visible_to(
    looks_at: Sequence[LooksAt], *, alphas: tuple[str, ...], metrics: pd.DataFrame, scores: Mapping[str, Path]
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
        metrics=metrics[(is_held_out & held_out) | (~is_held_out & labels)],
        score_tables={domain: path for domain, path in scores.items() if (held_out if domain == HELD_OUT else images)},
        without_labels=() if labels else tuple(domain for domain in scores if domain != HELD_OUT),
    )
