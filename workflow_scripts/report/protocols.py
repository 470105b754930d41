"""Tables of two protocols: base and new classes (OGEN's), and leave-one-domain-out (VL2V's)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from workflow_scripts.common.constants import WITHOUT, ZERO_SHOT
from workflow_scripts.evaluation.metric import Metric, metrics
from workflow_scripts.report.labels import ALL_CLASSES, HEADLINE, LABEL_SETS, Role, domain_title
from workflow_scripts.report.rows import Cell, Row, named_alphas, table_rows, with_best
from workflow_scripts.report.tables import deciding_domain

HALVES = ("base", "new", "harmonic")


@dataclass(frozen=True)
class ProtocolTable:
    """One protocol's table, in the shape of a metric's: a row per method and alpha, a titled column per quantity."""

    title: str
    metric: Metric
    domains: tuple[str, ...]
    rows: tuple[Row, ...]


def base_new_table(means: pd.DataFrame, *, domains: Sequence[str], fixed_alpha: str) -> ProtocolTable | None:
    """Return base accuracy (among base classes), new accuracy (among new ones) and their harmonic mean.

    They are those of the mean over real domains, or of the only one. None without a split or without real images.
    """
    domain = deciding_domain(domains)
    if domain is None or not set(HALVES) <= set(means["label_set"]):
        return None
    tables = [
        table_rows(means, domains=[domain], fixed_alpha=fixed_alpha, label_set=label_set, oracle=False)
        for label_set in HALVES
    ]
    halves = [{(row.method, row.alpha, row.role): row for row in table} for table in tables]
    rows = tuple(
        replace(row, cells=tuple(half[key].cells[0] for half in halves))
        for key, row in halves[0].items()
        if all(key in half for half in halves)
    )
    title = f"base and new classes, top-1 accuracy on {domain_title(domain)}"
    titles = tuple(LABEL_SETS[label_set] for label_set in HALVES)
    return ProtocolTable(title, metrics()[HEADLINE], titles, rows)


def left_out_table(means: pd.DataFrame, *, fixed_alpha: str) -> ProtocolTable | None:
    """Return each left-out domain's accuracy of the training that left it out, and the mean over targets.

    Beside them zero-shot on the same targets. None if no method leaves domains out.
    """
    chosen = means[(means["metric"] == HEADLINE) & (means["label_set"] == ALL_CLASSES)]
    names = [name for name in dict.fromkeys(chosen["method"]) if WITHOUT in name]
    targets = list(dict.fromkeys(name.split(WITHOUT)[1] for name in names))
    methods = list(dict.fromkeys(name.split(WITHOUT)[0] for name in names))
    if not targets:
        return None
    rows = [] if ZERO_SHOT not in set(chosen["method"]) else [_row(chosen, ZERO_SHOT, "0.00", "zero-shot", targets)]
    for method in methods:
        alphas = list(chosen[chosen["method"].isin([f"{method}{WITHOUT}{each}" for each in targets])]["alpha"])
        rows += [
            _row(chosen, method, alpha, role, targets)
            for alpha, role in named_alphas(alphas, fixed_alpha=fixed_alpha, oracle=None)
        ]
    titles = (*(f"without {target}, on {domain_title(target)}" for target in targets), "mean over targets")
    title = "leave one domain out: top-1 accuracy on the domain that was not trained on"
    return ProtocolTable(title, metrics()[HEADLINE], titles, tuple(with_best(rows, higher_is_better=True)))


def _row(chosen: pd.DataFrame, method: str, alpha: str, role: Role, targets: Sequence[str]) -> Row:
    cells = [
        _cell(chosen, method if role == "zero-shot" else f"{method}{WITHOUT}{each}", alpha, each) for each in targets
    ]
    values = [cell.value for cell in cells if cell is not None]
    # The mean counts only where every target was measured; the targets' intervals do not average into one.
    mean = Cell(sum(values) / len(values), None, None, 0.0, 1) if len(values) == len(targets) else None
    first = chosen[chosen["method"].isin([method, *(f"{method}{WITHOUT}{each}" for each in targets)])]
    return Row(method, alpha, role, (*cells, mean), str(first["train_classes"].iloc[0]))


def _cell(chosen: pd.DataFrame, method: str, alpha: str, domain: str) -> Cell | None:
    rows = chosen[(chosen["method"] == method) & (chosen["domain"] == domain) & (chosen["alpha"] == alpha)]
    if rows.empty:
        return None
    row = rows.iloc[0]
    return Cell(float(row["value"]), float(row["low"]), float(row["high"]), float(row["seed_std"]), int(row["seeds"]))
