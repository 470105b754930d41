"""The metric table of one run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.evaluation.metrics import (
    Estimate,
    Floats,
    estimates,
    harmonic_mean,
    mean_estimate,
    metric_functions,
    outcomes,
    resample_weights,
)
from workflow_scripts.evaluation.settings import HELD_OUT, MEAN, MetricsJob
from workflow_scripts.ground.parquet import read_parquet

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

Key = tuple[str, str]
"""Alpha and label space."""


def read_scores(path: Path) -> pd.DataFrame:
    """Read a score table.

    Raises:
        InputError: the file is unreadable.
    """
    table: pd.DataFrame = read_parquet(path, what="score table").to_pandas()
    return table


def metric_table(scores: Mapping[str, pd.DataFrame], settings: MetricsJob) -> pd.DataFrame:
    """Return one row per alpha, domain, space and metric, with the interval over source images.

    Real domains share one set of bootstrap draws and are joined by their mean; the held-out generated images are
    pictures of their own, with their own draws.
    """
    real = {domain: table for domain, table in scores.items() if domain != HELD_OUT}
    rows: list[dict[str, object]] = []
    for group in (real, {domain: table for domain, table in scores.items() if domain == HELD_OUT}):
        if group:
            rows += _group_rows(group, settings)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _group_rows(group: Mapping[str, pd.DataFrame], settings: MetricsJob) -> list[dict[str, object]]:
    sources = pd.Index(sorted(set().union(*(set(table["source_image"]) for table in group.values()))))
    blocks = list(resample_weights(len(sources), resamples=settings.resamples, seed=settings.seed))
    by_key: dict[Key, dict[str, dict[str, Estimate]]] = {}
    for domain, table in group.items():
        for (alpha, space), part in table.groupby(["alpha", "space"], sort=False):
            found = _estimates(part, sources, blocks, settings)
            by_key.setdefault((str(alpha), str(space)), {})[domain] = found
    _add_harmonic_means(by_key)
    rows = []
    for key, domains in by_key.items():
        if HELD_OUT not in domains:
            domains[MEAN] = _mean(list(domains.values()))
        rows += [row for domain, found in domains.items() for row in _rows(key, domain, found, settings)]
    return rows


HARMONIC = "harmonic"
"""Space of the harmonic mean of base accuracy (among base classes) and new accuracy (among new classes)."""
_ACCURACIES = ("top1", "mean_per_class")


def _add_harmonic_means(by_key: dict[Key, dict[str, dict[str, Estimate]]]) -> None:
    for alpha in [alpha for alpha, space in by_key if space == "base" and (alpha, "new") in by_key]:
        base, new = by_key[alpha, "base"], by_key[alpha, "new"]
        by_key[alpha, HARMONIC] = {
            domain: {name: harmonic_mean(found[name], new[domain][name]) for name in _ACCURACIES}
            for domain, found in base.items()
            if domain in new
        }


def _estimates(
    part: pd.DataFrame, sources: pd.Index, blocks: list[Floats], settings: MetricsJob
) -> dict[str, Estimate]:
    outcome = outcomes(part)
    places = sources.get_indexer(pd.Index(part["source_image"])).astype(np.int64)
    functions = metric_functions(classes=outcome.classes, bins=settings.bins)
    return estimates(outcome, places, functions, blocks)


def _mean(domains: list[dict[str, Estimate]]) -> dict[str, Estimate]:
    return {name: mean_estimate([found[name] for found in domains]) for name in domains[0]}


def _rows(key: Key, domain: str, found: dict[str, Estimate], settings: MetricsJob) -> list[dict[str, object]]:
    rows = []
    for metric, estimate in found.items():
        low, high = estimate.interval(settings.level)
        rows.append(
            {
                "dataset": settings.dataset,
                "source": settings.source,
                "clip": settings.clip,
                "method": settings.method,
                "seed": settings.run_seed,
                "alpha": key[0],
                "domain": domain,
                "space": key[1],
                "train_classes": settings.train_classes,
                "metric": metric,
                "value": estimate.value,
                "low": low,
                "high": high,
            }
        )
    return rows
