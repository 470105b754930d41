"""The metric table of one run."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workflow_scripts.common.constants import HELD_OUT, MEAN, METRIC_COLUMNS
from workflow_scripts.common.parquet import read_parquet
from workflow_scripts.evaluation.bootstrap import Estimate, estimates, harmonic_mean, mean_estimate
from workflow_scripts.evaluation.metric import metrics
from workflow_scripts.evaluation.outcomes import COLUMNS, Outcomes, outcomes
from workflow_scripts.evaluation.settings import MetricsJob

HARMONIC = "harmonic"
"""Label set of the harmonic mean of base accuracy (among base classes) and new accuracy (among new classes)."""

Estimates = dict[str, Estimate]
"""From a metric to its estimate."""


def metric_table(scores: Mapping[str, Path], settings: MetricsJob) -> pd.DataFrame:
    """Return one row per alpha, domain, label set and metric, with the interval over images.

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
    ids = image_ids(group.values())
    rows = []
    for alpha in _alphas(next(iter(group.values()))):
        tables = {
            (label_set, domain): outcome
            for domain, path in group.items()
            for label_set, outcome in read_outcomes(path, alpha, ids).items()
        }
        estimate_of = estimates(tables, images=len(ids), settings=settings)
        label_sets: dict[str, dict[str, Estimates]] = {}
        for (label_set, domain), estimate in estimate_of.items():
            label_sets.setdefault(label_set, {})[domain] = estimate
        for label_set, domains in _with_harmonic_mean(label_sets).items():
            joined = domains if HELD_OUT in domains else {**domains, MEAN: _mean(list(domains.values()))}
            rows += [row for domain, each in joined.items() for row in _rows(alpha, label_set, domain, each, settings)]
    return rows


def _alphas(path: Path) -> list[str]:
    alphas: list[str] = read_parquet(path, what="score table", columns=["alpha"])["alpha"].unique().to_pylist()
    return alphas


def image_ids(paths: Iterable[Path]) -> pa.Array:
    """Return the ids of all images of several score tables, each once, sorted.

    Raises:
        InputError: a score table is unreadable.
    """
    columns = ["image_id"]
    names = [read_parquet(path, what="score table", columns=columns)["image_id"].unique() for path in paths]
    return pa.concat_arrays(names).unique().sort()


def read_outcomes(path: Path, alpha: str, ids: pa.Array) -> dict[str, Outcomes]:
    """Return from each label set to the outcomes of one alpha.

    Raises:
        InputError: the score table is unreadable.
    """
    table = read_parquet(path, what="score table", columns=COLUMNS, only=("alpha", alpha))
    label_sets = table["label_set"].unique().to_pylist()
    return {label_set: outcomes(table.filter(pc.equal(table["label_set"], label_set)), ids) for label_set in label_sets}


def _with_harmonic_mean(label_sets: dict[str, dict[str, Estimates]]) -> dict[str, dict[str, Estimates]]:
    base, new = label_sets.get("base", {}), label_sets.get("new", {})
    accuracies = [name for name, metric in metrics().items() if metric.has_harmonic_mean]
    harmonic = {
        domain: {
            name: harmonic_mean(of_base[name], new[domain][name])
            for name in accuracies
            if name in of_base and name in new[domain]
        }
        for domain, of_base in base.items()
        if domain in new
    }
    return {**label_sets, HARMONIC: harmonic} if harmonic else label_sets


def _mean(domains: list[Estimates]) -> Estimates:
    # A mean stands only for what every domain has.
    shared = [name for name in domains[0] if all(name in estimates_of for estimates_of in domains)]
    return {name: mean_estimate([estimates_of[name] for estimates_of in domains]) for name in shared}


def _rows(
    alpha: str, label_set: str, domain: str, estimates_of: Estimates, settings: MetricsJob
) -> list[dict[str, object]]:
    rows = []
    for metric, estimate in estimates_of.items():
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
                "label_set": label_set,
                "train_classes": settings.train_classes,
                "metric": metric,
                "value": estimate.value,
                "low": low,
                "high": high,
            }
        )
    return rows
