"""The rows of the report's tables: which alphas are shown, under which name, and their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from workflow_scripts.evaluation.metric import metrics
from workflow_scripts.report.labels import ALL_CLASSES, HEADLINE, ROLES, Role, is_zero_shot
from workflow_scripts.report.tables import deciding_domain


@dataclass(frozen=True)
class Cell:
    """One number of a table, with its interval (None: it has none) and its standard deviation over seeds.

    `best` marks the best of a column that is no oracle; `gain` is the difference to zero-shot, where it is shown.
    """

    value: float
    low: float | None
    high: float | None
    seed_std: float
    seeds: int
    best: bool = False
    gain: float | None = None


@dataclass(frozen=True)
class Row:
    """One row of a table: a method at an alpha, and why this alpha."""

    method: str
    alpha: str
    role: Role
    cells: tuple[Cell | None, ...]
    train_classes: str = "all"

    @property
    def why(self) -> str:
        """Return in words why the row shows this alpha."""
        return ROLES[self.role]


def oracle_alpha(means: pd.DataFrame, *, method: str, domains: Sequence[str]) -> str | None:
    """Return the alpha with the best top-1 accuracy on the real test images; the smallest of equals.

    It is an upper bound that looked at the answers, not a result. None if there is no real image or only one alpha.
    """
    domain = deciding_domain(domains)
    rows = _chosen(means, method=method, metric=HEADLINE, label_set=ALL_CLASSES)
    rows = rows[rows["domain"] == domain]
    if len(rows) < _MIN_ALPHAS:
        return None
    ordered = rows.sort_values("alpha", key=lambda column: column.astype(float))
    return str(ordered["alpha"].iloc[int(ordered["value"].to_numpy().argmax())])


_MIN_ALPHAS = 2
"""Fewest alphas among which something is chosen."""


def named_alphas(alphas: Sequence[str], *, fixed_alpha: str, oracle: str | None) -> list[tuple[str, Role]]:
    """Return the alphas that a table shows of one method, each with the reason.

    A method with one alpha (nothing to average with) shows that one.
    """
    ordered = sorted(set(alphas), key=float)
    wanted: list[tuple[float, Role]] = [(0.0, "pre-trained"), (float(fixed_alpha), "fixed"), (1.0, "fine-tuned")]
    if len(ordered) == 1:
        role: Role = "fixed" if float(ordered[0]) == float(fixed_alpha) else "only"
        return [(ordered[0], role)]
    named = [(alpha, role) for value, role in wanted for alpha in ordered if float(alpha) == value]
    return named if oracle is None else [*named, (oracle, "oracle")]


def table_rows(
    means: pd.DataFrame,
    *,
    domains: Sequence[str],
    fixed_alpha: str,
    metric: str = HEADLINE,
    label_set: str = ALL_CLASSES,
    oracle: bool = True,
) -> list[Row]:
    """Return the rows of a method x domain table: zero-shot first, then each method at its named alphas.

    The oracle alpha is the one of top-1 accuracy in every table, so that a row is one model throughout.
    """
    rows = []
    for method in methods_of(means):
        chosen = _chosen(means, method=method, metric=metric, label_set=label_set)
        if chosen.empty:
            continue
        best = oracle_alpha(means, method=method, domains=domains) if oracle else None
        named: list[tuple[str, Role]] = [("0.00", "zero-shot")]
        if not is_zero_shot(method):
            named = named_alphas(list(chosen["alpha"]), fixed_alpha=fixed_alpha, oracle=best)
        trained = str(chosen["train_classes"].iloc[0])
        rows += [
            Row(method, alpha, role, _cells(chosen, alpha=alpha, domains=domains), trained) for alpha, role in named
        ]
    return with_best(rows, higher_is_better=metrics()[metric].higher_is_better)


def methods_of(means: pd.DataFrame) -> list[str]:
    """Return the methods in order of appearance, zero-shot first."""
    methods = list(dict.fromkeys(means["method"]))
    return sorted(methods, key=lambda name: not is_zero_shot(name))


def summary_cell(means: pd.DataFrame, *, method: str, domains: Sequence[str], fixed_alpha: str) -> Cell | None:
    """Return a method's top-1 accuracy at the alpha that was fixed beforehand, on the mean of the real domains.

    Zero-shot, and a method with one alpha only, show that one. Without real images the held-out generated ones are
    what is left. None if it was not measured.
    """
    domain = deciding_domain(domains) or next(iter(domains), None)
    rows = _chosen(means, method=method, metric=HEADLINE, label_set=ALL_CLASSES)
    rows = rows[rows["domain"] == domain]
    if len(rows) > 1:
        rows = rows[rows["alpha"].astype(float) == float(fixed_alpha)]
    return None if rows.empty else _cell(rows.iloc[0])


def with_gain(cell: Cell | None, *, reference: Cell | None) -> Cell | None:
    """Return a cell with its difference to the reference, where both exist."""
    if cell is None or reference is None:
        return cell
    return replace(cell, gain=cell.value - reference.value)


def _chosen(means: pd.DataFrame, *, method: str, metric: str, label_set: str) -> pd.DataFrame:
    return means[(means["method"] == method) & (means["metric"] == metric) & (means["label_set"] == label_set)]


def _cells(chosen: pd.DataFrame, *, alpha: str, domains: Sequence[str]) -> tuple[Cell | None, ...]:
    by_domain = chosen[chosen["alpha"].astype(float) == float(alpha)].set_index("domain")
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
    honest = [row.cells for row in rows if row.role != "oracle"]
    tops = [
        pick((cell.value for cell in column if cell is not None), default=None) for column in zip(*honest, strict=True)
    ]
    return [
        replace(
            row,
            cells=tuple(
                replace(cell, best=row.role != "oracle" and cell.value == top) if cell is not None else None
                for cell, top in zip(row.cells, tops, strict=True)
            ),
        )
        for row in rows
    ]
