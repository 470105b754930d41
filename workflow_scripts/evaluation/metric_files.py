"""Reading metric tables, and what stands in them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from workflow_scripts.common.constants import HELD_OUT, MEAN, METRIC_COLUMNS, METRIC_KEYS, METRIC_NUMBERS
from workflow_scripts.common.errors import InputError
from workflow_scripts.evaluation.metric import metrics

ALL_CLASSES = "all"
"""Label set of all classes."""
HEADLINE = "top1"
"""The metric that decides wherever one must."""


def read_metrics(paths: Sequence[Path]) -> pd.DataFrame:
    """Read metric tables into one, in their order and without repeats; alphas stay texts.

    Raises:
        InputError: a table is unreadable, lacks a column or holds no number where one belongs, or two tables give
            different values for the same thing.
    """
    tables = [_read(path) for path in paths]
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(METRIC_COLUMNS))
    whole = whole.drop_duplicates(ignore_index=True)
    twice = whole[whole.duplicated(list(METRIC_KEYS))]
    if not twice.empty:
        name = ", ".join(f"{key} {twice.iloc[0][key]}" for key in METRIC_KEYS)
        raise InputError(f"metric tables disagree on {name}; delete them and run snakemake again")
    return whole


def _read(path: Path) -> pd.DataFrame:
    try:
        # Read as texts: a label set or method named `NA` or `1` stays what it is, and so does an alpha.
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a readable metric table ({reason}); delete it and run snakemake again") from None
    missing = [name for name in METRIC_COLUMNS if name not in table.columns]
    if missing:
        raise InputError(f"{path}: columns are missing: {', '.join(missing)}; delete it and run snakemake again")
    table = table[list(METRIC_COLUMNS)].copy()
    if unknown := set(table["metric"]) - set(metrics()):
        raise InputError(f"{path}: {min(unknown)!r} is no metric; delete it and run snakemake again")
    for name in (*METRIC_NUMBERS, "seed", "alpha"):
        numbers = pd.to_numeric(table[name], errors="coerce")
        if numbers.isna().any():
            text = table[name][numbers.isna()].iloc[0]
            raise InputError(f"{path}: column {name} holds {text!r}, not a number; delete it and run snakemake again")
        if name != "alpha":
            table[name] = numbers
    return table


def domains_of(table: pd.DataFrame) -> list[str]:
    """Return the real domains in order of appearance, then their mean if there are several, then the held-out split."""
    domains = list(dict.fromkeys(table["domain"]))
    real = [name for name in domains if name not in (MEAN, HELD_OUT)]
    mean = [MEAN] if len(real) > 1 else []
    return [*real, *mean, *([HELD_OUT] if HELD_OUT in domains else [])]


def deciding_domain(domains: Sequence[str]) -> str | None:
    """Return the domain that decides wherever one must: the mean over real domains, or the only real one.

    None if there is no real domain: accuracy on held-out training images stands for no other.
    """
    real = [name for name in domains if name != HELD_OUT]
    return MEAN if MEAN in real else next(iter(real), None)
