"""Reading metric tables, and joining them over seeds."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from workflow_scripts.common.constants import (
    HELD_OUT,
    MEAN,
    METRIC_COLUMNS,
    METRIC_KEYS,
    METRIC_NUMBERS,
    NO_SOURCE,
    REAL_TRAIN,
    ZERO_SHOT,
)
from workflow_scripts.common.errors import InputError
from workflow_scripts.evaluation.metric import metrics


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


def domains_of(table: pd.DataFrame) -> list[str]:
    """Return the real domains in order of appearance, then their mean if there are several, then the held-out split."""
    domains = list(dict.fromkeys(table["domain"]))
    real = [name for name in domains if name not in (MEAN, HELD_OUT)]
    mean = [MEAN] if len(real) > 1 else []
    return [*real, *mean, *([HELD_OUT] if HELD_OUT in domains else [])]


def deciding_domain(domains: Sequence[str]) -> str | None:
    """Return what the summary shows and the oracle looks at: the mean over real domains, or the only real one.

    None if there is no real domain: held-out generated images choose nothing and stand for nothing else.
    """
    real = [name for name in domains if name != HELD_OUT]
    return MEAN if MEAN in real else next(iter(real), None)


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method, alpha, domain, label set and metric: means over seeds, and their standard deviation.

    `low` and `high` are means of the seeds' intervals. `seed_std` is the sample standard deviation over seeds (0 with
    one seed); `seeds` counts them.
    """
    keys = ["method", "train_classes", "alpha", "domain", "label_set", "metric"]
    grouped = rows.groupby(keys, sort=False)
    means = grouped[list(METRIC_NUMBERS)].mean()
    means["seed_std"] = grouped["value"].std(ddof=1).fillna(0.0)
    means["seeds"] = grouped["value"].count()
    return means.reset_index()
