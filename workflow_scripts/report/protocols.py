"""Tables of two protocols: base and new classes (OGEN's), and leave-one-domain-out (VL2V's)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from workflow_scripts.common.constants import WITHOUT, ZERO_SHOT
from workflow_scripts.evaluation.metric import Metric, metrics
from workflow_scripts.evaluation.metric_files import ALL_CLASSES, HEADLINE, deciding_domain
from workflow_scripts.report.labels import LABEL_SETS, domain_title
from workflow_scripts.report.roles import Role, by_role
from workflow_scripts.report.rows import Cell, Row, table_rows, with_best
from workflow_scripts.report.tables import alpha_text

HALVES = ("base", "new", "harmonic")


@dataclass(frozen=True)
class ProtocolTable:
    """One protocol's table, in the shape of a metric's: a row per method and alpha, a titled column per quantity."""

    title: str
    metric: Metric
    domains: tuple[str, ...]
    rows: tuple[Row, ...]


def base_new_table(means: pd.DataFrame, *, domains: Sequence[str]) -> ProtocolTable | None:
    """Return base accuracy (among base classes), new accuracy (among new ones) and their harmonic mean.

    They are those of the mean over real domains, or of the only one. None without a split or without real images.

    Args:
        means: means over seeds, by role.
        domains: all domains that were measured.
    """
    domain = deciding_domain(domains)
    if domain is None or not set(HALVES) <= set(means["label_set"]):
        return None
    tables = [table_rows(means, domains=[domain], label_set=label_set, oracles=False) for label_set in HALVES]
    halves = [{(row.method, row.role): row for row in table} for table in tables]
    rows = tuple(
        replace(row, cells=tuple(half[key].cells[0] for half in halves))
        for key, row in halves[0].items()
        if all(key in half for half in halves)
    )
    title = f"base and new classes, top-1 accuracy on {domain_title(domain)}"
    titles = tuple(LABEL_SETS[label_set] for label_set in HALVES)
    return ProtocolTable(title, metrics()[HEADLINE], titles, rows)


def left_out_table(means: pd.DataFrame) -> ProtocolTable | None:
    """Return each left-out domain's accuracy of the training that left it out, and the mean over targets.

    Beside them zero-shot on the same targets. None if no method leaves domains out.

    Args:
        means: means over seeds, by role.
    """
    chosen = means[(means["metric"] == HEADLINE) & (means["label_set"] == ALL_CLASSES)]
    names = [name for name in dict.fromkeys(chosen["method"]) if WITHOUT in name]
    targets = list(dict.fromkeys(name.split(WITHOUT)[1] for name in names))
    methods = list(dict.fromkeys(name.split(WITHOUT)[0] for name in names))
    if not targets:
        return None
    rows = _rows(chosen, ZERO_SHOT, dict.fromkeys(targets, ZERO_SHOT))
    for method in methods:
        rows += _rows(chosen, method, {target: f"{method}{WITHOUT}{target}" for target in targets})
    titles = (*(f"without {target}, on {domain_title(target)}" for target in targets), "mean over targets")
    title = "leave one domain out: top-1 accuracy on the domain that was not trained on"
    return ProtocolTable(title, metrics()[HEADLINE], titles, tuple(with_best(rows, higher_is_better=True)))


def _rows(chosen: pd.DataFrame, method: str, name_of: dict[str, str]) -> list[Row]:
    """Return the rows of a method, by the name that each target's training runs under."""
    own = chosen[chosen["method"].isin(name_of.values())]
    return [_row(rows, method, role, name_of) for role, rows in by_role(own) if not role.oracle]


def _row(rows: pd.DataFrame, method: str, role: Role, name_of: dict[str, str]) -> Row:
    cells = [_cell(rows, name, target) for target, name in name_of.items()]
    values = [cell.value for cell in cells if cell is not None]
    # The mean counts only where every target was measured; the targets' intervals do not average into one.
    mean = Cell(sum(values) / len(values), None, None, 0.0, 1) if len(values) == len(name_of) else None
    return Row(method, alpha_text(rows["alpha"]), role, (*cells, mean), str(rows["train_classes"].iloc[0]))


def _cell(rows: pd.DataFrame, method: str, domain: str) -> Cell | None:
    rows = rows[(rows["method"] == method) & (rows["domain"] == domain)]
    if rows.empty:
        return None
    row = rows.iloc[0]
    return Cell(float(row["value"]), float(row["low"]), float(row["high"]), float(row["seed_std"]), int(row["seeds"]))
