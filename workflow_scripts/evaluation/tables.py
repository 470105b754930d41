"""The metric table of one run."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts.evaluation.metrics import (
    Estimate,
    Outcomes,
    estimates,
    harmonic_mean,
    mean_estimate,
    outcomes,
)
from workflow_scripts.evaluation.settings import MetricsJob
from workflow_scripts.ground.parquet import read_parquet
from workflow_scripts.ground.vocabulary import HELD_OUT, MEAN, METRIC_COLUMNS

Estimates = dict[str, Estimate]
"""From a metric to its estimate."""


def metric_table(scores: Mapping[str, Path], settings: MetricsJob) -> pd.DataFrame:
    """Return one row per alpha, domain, space and metric, with the interval over source images.

    Real domains share one set of bootstrap draws and are joined by their mean; the held-out generated images are
    pictures of their own, with their own draws. One alpha is in memory at a time.

    Args:
        scores: from a domain to its score table.
        settings: what is measured, and how the rows are named.

    Raises:
        InputError: a score table is unreadable.
    """
    real = {domain: path for domain, path in scores.items() if domain != HELD_OUT}
    rows: list[dict[str, object]] = []
    for group in (real, {domain: path for domain, path in scores.items() if domain == HELD_OUT}):
        if group:
            rows += _group_rows(group, settings)
    return pd.DataFrame(rows, columns=list(METRIC_COLUMNS))


def _group_rows(group: Mapping[str, Path], settings: MetricsJob) -> list[dict[str, object]]:
    sources = source_images(group.values())
    rows = []
    for alpha in _alphas(next(iter(group.values()))):
        tables = {
            (space, domain): outcome
            for domain, path in group.items()
            for space, outcome in read_outcomes(path, alpha, sources).items()
        }
        found = estimates(
            tables, images=len(sources), resamples=settings.resamples, seed=settings.seed, bins=settings.bins
        )
        spaces: dict[str, dict[str, Estimates]] = {}
        for (space, domain), estimate in found.items():
            spaces.setdefault(space, {})[domain] = estimate
        for space, domains in _with_harmonic_mean(spaces).items():
            joined = domains if HELD_OUT in domains else {**domains, MEAN: _mean(list(domains.values()))}
            rows += [row for domain, each in joined.items() for row in _rows(alpha, space, domain, each, settings)]
    return rows


def _alphas(path: Path) -> list[str]:
    alphas: list[str] = read_parquet(path, what="score table", columns=["alpha"])["alpha"].unique().to_pylist()
    return alphas


def source_images(paths: Iterable[Path]) -> pa.Array:
    """Return the names of all source images of several score tables, each once, sorted.

    Raises:
        InputError: a score table is unreadable.
    """
    columns = ["source_image"]
    names = [read_parquet(path, what="score table", columns=columns)["source_image"].unique() for path in paths]
    return pa.concat_arrays(names).unique().sort()


def read_outcomes(path: Path, alpha: str, sources: pa.Array) -> dict[str, Outcomes]:
    """Return from each label space to the outcomes of one alpha.

    Raises:
        InputError: the score table is unreadable.
    """
    table = read_parquet(path, what="score table", columns=_READ, only=("alpha", alpha))
    spaces = table["space"].unique().to_pylist()
    return {space: outcomes(table.filter(pc.equal(table["space"], space)), sources) for space in spaces}


_READ = (
    *("space", "classes", "source_image", "label", "top_classes", "top_logits"),
    *("log_sum_exp", "true_logit", "sum_squared_probabilities"),
)


HARMONIC = "harmonic"
"""Space of the harmonic mean of base accuracy (among base classes) and new accuracy (among new classes)."""
_ACCURACIES = ("top1", "mean_per_class")


def _with_harmonic_mean(spaces: dict[str, dict[str, Estimates]]) -> dict[str, dict[str, Estimates]]:
    base, new = spaces.get("base", {}), spaces.get("new", {})
    harmonic = {
        domain: {name: harmonic_mean(found[name], new[domain][name]) for name in _ACCURACIES}
        for domain, found in base.items()
        if domain in new
    }
    return {**spaces, HARMONIC: harmonic} if harmonic else spaces


def _mean(domains: list[Estimates]) -> Estimates:
    return {name: mean_estimate([found[name] for found in domains]) for name in domains[0]}


def _rows(alpha: str, space: str, domain: str, found: Estimates, settings: MetricsJob) -> list[dict[str, object]]:
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
                "alpha": alpha,
                "domain": domain,
                "space": space,
                "train_classes": settings.train_classes,
                "metric": metric,
                "value": estimate.value,
                "low": low,
                "high": high,
            }
        )
    return rows
