"""Metric tables: their order, the rows of a comparison, and what they come to over seeds."""

from collections.abc import Iterable, Sequence
from typing import Literal

import pandas as pd

from workflow_scripts.common.constants import METRIC_KEYS, METRIC_NUMBERS, NO_SOURCE, REAL_TRAIN, ZERO_SHOT


def sorted_metrics(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table in one order, whatever the order of the files: by its keys, alphas as numbers."""
    by = {name: table[name].astype(float) if name == "alpha" else table[name] for name in METRIC_KEYS}
    order = pd.DataFrame(by).sort_values(list(METRIC_KEYS), kind="stable").index
    return table.loc[order].reset_index(drop=True)


def comparison_metrics(
    table: pd.DataFrame, *, dataset: str, source: str, clip: str, methods: Sequence[str]
) -> pd.DataFrame:
    """Return the rows of one comparison: its own source's, the zero-shot ones, and those of methods on real images."""
    same = (table["dataset"] == dataset) & (table["clip"] == clip)
    own = table["source"].isin([source, NO_SOURCE, REAL_TRAIN]) & table["method"].isin([*methods, ZERO_SHOT])
    return table[same & own]


def over_seeds(rows: pd.DataFrame, *, by: Literal["alpha", "role"] = "alpha") -> pd.DataFrame:
    """Return one row per method, alpha, domain, label set and metric: means over seeds, and their standard deviation.

    `low` and `high` are means of the seeds' intervals. `seed_std` is the sample standard deviation over seeds (0 with
    one seed); `seeds` counts them.

    Args:
        rows: of metric tables; with a `role` where they are joined by it.
        by: what seeds have in common: an alpha, or a role, in which each may have an alpha of its own.
    """
    keys = ["method", "train_classes", by, "domain", "label_set", "metric"]
    grouped = rows.groupby(keys, sort=False)
    means = grouped[list(METRIC_NUMBERS)].mean()
    if by == "role":
        means["alpha"] = grouped["alpha"].agg(alpha_text)
    means["seed_std"] = grouped["value"].std(ddof=1).fillna(0.0)
    means["seeds"] = grouped["value"].count()
    return means.reset_index()


def alpha_text(alphas: Iterable[str]) -> str:
    """Return an alpha; where seeds or domains have others, all of them, each once, by size."""
    distinct = {alpha for text in alphas for alpha in text.split(", ")}
    return ", ".join(sorted(distinct, key=float))
