"""The rows of the report's tables: which alphas are shown, under which name, and their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from workflow_scripts.evaluation.metric import metrics
from workflow_scripts.evaluation.metric_files import ALL_CLASSES, HEADLINE, deciding_domain
from workflow_scripts.report.labels import is_zero_shot
from workflow_scripts.report.roles import Role, by_role
from workflow_scripts.report.tables import alpha_text


@dataclass(frozen=True)
class Cell:
    """One number of a table, with its interval (None: it has none) and its standard deviation over seeds.

    `best` marks the best of a column that is no oracle; `gain` is the difference to zero-shot and `alpha` what it
    was measured at, where these are shown.
    """

    value: float
    low: float | None
    high: float | None
    seed_std: float
    seeds: int
    best: bool = False
    gain: float | None = None
    alpha: str | None = None


@dataclass(frozen=True)
class Row:
    """One row of a table: a method at an alpha, and why this alpha; where seeds were given others, at all of these."""

    method: str
    alpha: str
    role: Role
    cells: tuple[Cell | None, ...]
    train_classes: str = "all"


def table_rows(
    means: pd.DataFrame,
    *,
    domains: Sequence[str],
    metric: str = HEADLINE,
    label_set: str = ALL_CLASSES,
    oracles: bool = True,
) -> list[Row]:
    """Return the rows of a method x domain table: zero-shot first, then each method in its roles.

    An alpha that was picked is the same in every table, so that a row is one model throughout.

    Args:
        means: means over seeds, by role.
        domains: one per column.
        metric: name of the metric.
        label_set: classes that compete.
        oracles: whether oracles have rows.
    """
    rows = []
    for method in methods_of(means):
        chosen = _chosen(means, method=method, metric=metric, label_set=label_set)
        for role, own in by_role(chosen):
            if oracles or not role.oracle:
                trained = str(own["train_classes"].iloc[0])
                rows.append(Row(method, alpha_text(own["alpha"]), role, _cells(own, domains=domains), trained))
    return with_best(rows, higher_is_better=metrics()[metric].higher_is_better)


def methods_of(means: pd.DataFrame) -> list[str]:
    """Return the methods in order of appearance, zero-shot first."""
    methods = list(dict.fromkeys(means["method"]))
    return sorted(methods, key=lambda name: not is_zero_shot(name))


def summary_cell(means: pd.DataFrame, *, method: str, domains: Sequence[str]) -> Cell | None:
    """Return a method's top-1 accuracy at the alpha that the first picker chose, on the mean of the real domains.

    Zero-shot, and a method with one alpha only, show that one. Without real images the held-out generated ones are
    what is left. None if it was not measured.
    """
    domain = deciding_domain(domains) or next(iter(domains), None)
    rows = _chosen(means, method=method, metric=HEADLINE, label_set=ALL_CLASSES)
    rows = rows[(rows["domain"] == domain) & rows["role"].map(lambda role: role.in_summary).astype(bool)]
    return None if rows.empty else replace(_cell(rows.iloc[0]), alpha=rows["alpha"].iloc[0])


def with_gain(cell: Cell | None, *, reference: Cell | None) -> Cell | None:
    """Return a cell with its difference to the reference, where both exist."""
    if cell is None or reference is None:
        return cell
    return replace(cell, gain=cell.value - reference.value)


def _chosen(means: pd.DataFrame, *, method: str, metric: str, label_set: str) -> pd.DataFrame:
    return means[(means["method"] == method) & (means["metric"] == metric) & (means["label_set"] == label_set)]


def _cells(chosen: pd.DataFrame, *, domains: Sequence[str]) -> tuple[Cell | None, ...]:
    by_domain = chosen.set_index("domain")
    return tuple(_cell(by_domain.loc[domain]) if domain in by_domain.index else None for domain in domains)


def _cell(row: Any) -> Cell:
    return Cell(float(row["value"]), float(row["low"]), float(row["high"]), float(row["seed_std"]), int(row["seeds"]))


def with_best(rows: Sequence[Row], *, higher_is_better: bool) -> list[Row]:
    """Mark the best value of each column among rows that saw images of the same classes; an oracle never is.

    Zero-shot, which saw none, is compared with the rows that saw all.
    """
    groups = {row.train_classes == "base" for row in rows}
    marked: dict[int, Row] = {}
    for base in groups:
        own = [(number, row) for number, row in enumerate(rows) if (row.train_classes == "base") == base]
        own_marked = _best_of([row for _, row in own], higher_is_better=higher_is_better)
        marked |= {number: row for (number, _), row in zip(own, own_marked, strict=True)}
    return [marked[number] for number in range(len(rows))]


def _best_of(rows: Sequence[Row], *, higher_is_better: bool) -> list[Row]:
    pick = max if higher_is_better else min
    honest = [row.cells for row in rows if not row.role.oracle]
    tops = [
        pick((cell.value for cell in column if cell is not None), default=None) for column in zip(*honest, strict=True)
    ]
    return [
        replace(
            row,
            cells=tuple(
                replace(cell, best=not row.role.oracle and cell.value == top) if cell is not None else None
                for cell, top in zip(row.cells, tops, strict=True)
            ),
        )
        for row in rows
    ]
