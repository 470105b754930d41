"""Metrics with bootstrap intervals over images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from workflow_scripts.common.errors import InputError
from workflow_scripts.evaluation.metric import metrics
from workflow_scripts.evaluation.outcomes import Floats, Outcomes
from workflow_scripts.evaluation.settings import Metrics

Key = TypeVar("Key")

_CELLS = 2_000_000
"""Bootstrap weights that are held at once: memory does not grow with the number of resamples."""


def values_of(outcome: Outcomes, weights: Floats, settings: Metrics) -> dict[str, Floats]:
    """Return every metric that applies to a label set under each row of weights (resamples, images).

    Where a resample drew none of the images, a metric is NaN.

    Raises:
        InputError: a metric is no finite number for each row that drew any.
    """
    drawn = weights.sum(axis=1) > 0
    values = {}
    for name, metric in metrics().items():
        if metric.applies(outcome):
            value = metric.value(outcome, weights[drawn], settings)
            if np.shape(value) != (int(drawn.sum()),) or not np.isfinite(value).all():
                raise InputError(f"evaluation.metrics.{name}: must give a finite number for each row of weights")
            values[name] = np.full(len(weights), np.nan)
            values[name][drawn] = value
    return values


def resample_weights(images: int, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield bootstrap weights of images in blocks (resamples, images): how often each was drawn.

    The draws depend on the number of images, of resamples and the seed only, so that all methods, alphas and domains
    over the same images share them and their differences can be compared.
    """
    generator = np.random.default_rng(seed)
    size = max(1, _CELLS // images)
    for start in range(0, resamples, size):
        draws = (generator.integers(images, size=images) for _ in range(min(size, resamples - start)))
        yield np.stack([np.bincount(drawn, minlength=images) for drawn in draws]).astype(np.float64)


@dataclass(frozen=True)
class Estimate:
    """A metric's value on the images as they are, and its values on the resamples."""

    value: float
    resampled: Floats

    def interval(self, level: float) -> tuple[float, float]:
        """Return the percentile interval of a level, over the resamples that say something (are not NaN).

        Resampling adds noise to every bin of a calibration error, which is a sum of absolute values: its interval is
        biased upwards and may lie above the value.
        """
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(self.resampled[~np.isnan(self.resampled)], [tail, 1.0 - tail])
        return float(low), float(high)


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean over domains, resample by resample: the domains share their images."""
    resampled = np.mean([each.resampled for each in estimates], axis=0)
    return Estimate(float(np.mean([each.value for each in estimates])), resampled)


def harmonic_mean(base: Estimate, new: Estimate) -> Estimate:
    """Return H = 2 b n / (b + n) of two accuracies, resample by resample; 0 where both are 0 (OGEN's protocol)."""
    pairs = np.stack([np.append(base.resampled, base.value), np.append(new.resampled, new.value)])
    total = pairs.sum(axis=0)
    means = np.divide(2.0 * pairs.prod(axis=0), total, out=np.zeros_like(total), where=total != 0)
    return Estimate(float(means[-1]), means[:-1])


def estimates(tables: Mapping[Key, Outcomes], *, images: int, settings: Metrics) -> dict[Key, dict[str, Estimate]]:
    """Return every metric's estimate on each of several tables of outcomes, which share their resamples.

    Args:
        tables: the outcomes.
        images: number of distinct images.
        settings: how many resamples, with which seed, and the metrics' own options.
    """
    resampled: dict[Key, list[dict[str, Floats]]] = {key: [] for key in tables}
    for block in resample_weights(images, resamples=settings.resamples, seed=settings.seed):
        for key, outcome in tables.items():
            resampled[key].append(values_of(outcome, block[:, outcome.image_index], settings))
    estimate_of = {}
    for key, outcome in tables.items():
        values = values_of(outcome, np.ones((1, len(outcome.image_index))), settings)
        estimate_of[key] = {
            name: Estimate(float(value[0]), np.concatenate([block[name] for block in resampled[key]]))
            for name, value in values.items()
        }
    return estimate_of
