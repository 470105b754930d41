"""Reading metric tables, and the rows that the report makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workflow_scripts.ground.errors import InputError

COLUMNS = (
    "dataset",
    "source",
    "clip",
    "method",
    "seed",
    "alpha",
    "domain",
    "space",
    "train_classes",
    "metric",
    "value",
    "low",
    "high",
)
ZERO_SHOT = "zero-shot"
NO_SOURCE = "none"
MEAN = "mean"
HELD_OUT = "held-out"
HIGHER_IS_BETTER = {"top1": True, "top5": True, "mean_per_class": True, "nll": False, "brier": False, "ece": False}
METRIC_NAMES = {
    "top1": "top-1 accuracy",
    "top5": "top-5 accuracy",
    "mean_per_class": "mean per class",
    "nll": "negative log-likelihood",
    "brier": "Brier score",
    "ece": "expected calibration error",
}


def read_metrics(paths: Sequence[Path]) -> pd.DataFrame:
    """Read metric tables into one, in their order and without repeats; alphas stay texts.

    Raises:
        InputError: a table is unreadable or lacks a column.
    """
    tables = [_read(path) for path in paths]
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))
    return whole.drop_duplicates(ignore_index=True)


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"alpha": str, "method": str, "source": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable metric table ({error}); delete it and run snakemake again") from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise InputError(f"{path}: columns are missing: {', '.join(missing)}; delete it and run snakemake again")
    return table[list(COLUMNS)]


def comparison_metrics(table: pd.DataFrame, *, dataset: str, source: str, clip: str) -> pd.DataFrame:
    """Return the rows of one comparison: its own source's and the zero-shot ones."""
    same = (table["dataset"] == dataset) & (table["clip"] == clip)
    return table[same & table.source.isin([source, NO_SOURCE])]


def domains_of(table: pd.DataFrame) -> list[str]:
    """Return the real domains in order of appearance, then their mean if there are several, then the held-out part."""
    found = list(dict.fromkeys(table.domain))
    real = [name for name in found if name not in (MEAN, HELD_OUT)]
    mean = [MEAN] if len(real) > 1 else []
    return [*real, *mean, *([HELD_OUT] if HELD_OUT in found else [])]


def choosing_domain(domains: Sequence[str]) -> str:
    """Return the domain that the oracle looks at: the mean over real ones, the only one, or the held-out part."""
    return MEAN if MEAN in domains else domains[0]


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method, alpha, domain, space and metric: means over seeds, and the seeds' spread.

    `spread` is the standard deviation over seeds (0 with one seed); `seeds` counts them.
    """
    keys = ["method", "alpha", "domain", "space", "metric"]
    grouped = rows.groupby(keys, sort=False)
    found = grouped[["value", "low", "high"]].mean()
    found["spread"] = grouped["value"].std(ddof=0)
    found["seeds"] = grouped["value"].count()
    return found.reset_index()


@dataclass(frozen=True)
class Cell:
    """One number of a table, with its interval and its spread over seeds."""

    value: float
    low: float
    high: float
    spread: float
    seeds: int
    best: bool = False


@dataclass(frozen=True)
class Row:
    """One row of a table: a method at an alpha, and why this alpha."""

    method: str
    alpha: str
    why: str
    cells: tuple[Cell | None, ...]


def oracle_alpha(means: pd.DataFrame, *, method: str, domain: str, metric: str = "top1") -> str:
    """Return the alpha with the best value on a test domain; the smallest of equals. It is an oracle, not a result."""
    rows = means[(means.method == method) & (means.domain == domain) & (means.metric == metric)]
    ordered = rows.sort_values("alpha", key=lambda column: column.astype(float))
    values = ordered.value if HIGHER_IS_BETTER[metric] else -ordered.value
    return str(ordered.alpha.iloc[int(values.to_numpy().argmax())])


def headline_rows(means: pd.DataFrame, *, domains: Sequence[str], fixed_alpha: str, metric: str = "top1") -> list[Row]:
    """Return the rows of a method x domain table.

    Zero-shot first; then each method fine-tuned (its largest alpha), at the fixed alpha, and at the oracle alpha of
    the mean over real domains.
    """
    rows = []
    if ZERO_SHOT in set(means.method):
        rows.append(_row(means, ZERO_SHOT, "0.00", "nothing trained", domains, metric))
    for method in dict.fromkeys(means.method):
        if method == ZERO_SHOT:
            continue
        alphas = sorted(set(means[means.method == method].alpha), key=float)
        oracle = oracle_alpha(means, method=method, domain=choosing_domain(domains))
        named = [(alphas[0], "pre-trained end"), (alphas[-1], "fine-tuned end")]
        named += [(fixed_alpha, "fixed beforehand"), (oracle, "oracle, chosen on the test images")]
        rows += [_row(means, method, alpha, why, domains, metric) for alpha, why in named if alpha in alphas]
    return _with_best(rows, metric)


def _row(means: pd.DataFrame, method: str, alpha: str, why: str, domains: Sequence[str], metric: str) -> Row:
    chosen = means[
        (means.method == method) & (means.alpha == alpha) & (means.metric == metric) & (means.space == "all")
    ]
    by_domain = chosen.set_index("domain")
    cells = [_cell(by_domain.loc[domain]) if domain in by_domain.index else None for domain in domains]
    return Row(method, alpha, why, tuple(cells))


def _cell(row: Any) -> Cell:
    return Cell(float(row.value), float(row.low), float(row.high), float(row.spread), int(row.seeds))


def _with_best(rows: list[Row], metric: str) -> list[Row]:
    honest = [row for row in rows if not row.why.startswith("oracle")]
    pick = max if HIGHER_IS_BETTER[metric] else min
    best = []
    for column in zip(*(row.cells for row in honest), strict=True):
        values = [cell.value for cell in column if cell is not None]
        best.append(pick(values) if values else None)
    return [
        Row(
            row.method,
            row.alpha,
            row.why,
            tuple(
                Cell(**{**vars(cell), "best": row in honest and cell.value == top}) if cell is not None else None
                for cell, top in zip(row.cells, best, strict=True)
            ),
        )
        for row in rows
    ]
