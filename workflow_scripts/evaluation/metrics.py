"""Metrics of per-image scores, with bootstrap intervals over source images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

TOP5_NEEDS_MORE_THAN = 5
_CHUNK = 100


@dataclass(frozen=True)
class Outcomes:
    """What the metrics read of each image: arrays of shape (images)."""

    label: Integers
    top1: Floats
    top5: Floats
    nll: Floats
    brier: Floats
    confidence: Floats
    classes: int


def outcomes(scores: pd.DataFrame) -> Outcomes:
    """Return the outcomes of the images of one alpha, domain and space.

    NLL is log-sum-exp minus the true logit. Brier is the multi-class score, sum_k (p_k - y_k)^2, between 0 and 2:
    1 - 2 p_true + sum_k p_k^2. Confidence is the probability of the predicted class.
    """
    label = scores["label"].to_numpy(np.int64)
    top = np.stack(scores["top_classes"].to_list())
    nll = scores["log_sum_exp"].to_numpy(np.float64) - scores["true_logit"].to_numpy(np.float64)
    largest = np.stack(scores["top_logits"].to_list())[:, 0].astype(np.float64)
    squared = scores["sum_squared_probabilities"].to_numpy(np.float64)
    return Outcomes(
        label=label,
        top1=(top[:, 0] == label).astype(np.float64),
        top5=(top == label[:, None]).any(axis=1).astype(np.float64),
        nll=nll,
        brier=1.0 - 2.0 * np.exp(-nll) + squared,
        confidence=np.exp(largest - scores["log_sum_exp"].to_numpy(np.float64)).clip(0.0, 1.0),
        classes=int(scores["classes"].iloc[0]),
    )


Metric = Callable[[Outcomes, Floats], Floats]
"""From outcomes and image weights (resamples, images) to one value per resample."""


def weighted_mean(values: Floats, weights: Floats) -> Floats:
    """Return the weighted mean of values (images) under each row of weights (resamples, images)."""
    result: Floats = weights @ values / weights.sum(axis=1)
    return result


def mean_per_class(outcome: Outcomes, weights: Floats) -> Floats:
    """Return the mean over classes of each class's accuracy; a class with no image in a resample does not count."""
    member = np.eye(outcome.classes)[outcome.label]
    counts = weights @ member
    hits = weights @ (member * outcome.top1[:, None])
    present = counts > 0
    accuracy = np.divide(hits, counts, out=np.zeros_like(hits), where=present)
    result: Floats = accuracy.sum(axis=1) / present.sum(axis=1)
    return result


def calibration_error(outcome: Outcomes, weights: Floats, *, bins: int) -> Floats:
    """Return the expected calibration error: sum_b (n_b / n) |accuracy_b - confidence_b| over bins of equal width."""
    number = np.minimum((outcome.confidence * bins).astype(np.int64), bins - 1)
    member = np.eye(bins)[number]
    gap = weights @ (member * (outcome.top1 - outcome.confidence)[:, None])
    result: Floats = np.abs(gap).sum(axis=1) / weights.sum(axis=1)
    return result


def metric_functions(*, classes: int, bins: int) -> dict[str, Metric]:
    """Return the metrics of a label space; top-5 only where there are more than five classes."""
    found: dict[str, Metric] = {
        "top1": lambda outcome, weights: weighted_mean(outcome.top1, weights),
        "top5": lambda outcome, weights: weighted_mean(outcome.top5, weights),
        "mean_per_class": mean_per_class,
        "nll": lambda outcome, weights: weighted_mean(outcome.nll, weights),
        "brier": lambda outcome, weights: weighted_mean(outcome.brier, weights),
        "ece": lambda outcome, weights: calibration_error(outcome, weights, bins=bins),
    }
    if classes <= TOP5_NEEDS_MORE_THAN:
        del found["top5"]
    return found


def resample_weights(images: int, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield bootstrap weights of source images in blocks (resamples, images): how often each was drawn.

    The draws depend on the number of images, of resamples and the seed only, so that all methods, alphas and domains
    over the same images share them and their differences can be compared.
    """
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, _CHUNK):
        block = min(_CHUNK, resamples - start)
        yield generator.multinomial(images, np.full(images, 1.0 / images), size=block).astype(np.float64)


@dataclass(frozen=True)
class Estimate:
    """A metric's value on the images as they are, and its values on the resamples."""

    value: float
    resampled: Floats

    def interval(self, level: float) -> tuple[float, float]:
        """Return the percentile interval of a level.

        Resampling adds noise to every bin of a calibration error, which is a sum of absolute values: its interval is
        biased upwards and may lie above the value.
        """
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(self.resampled, [tail, 1.0 - tail])
        return float(low), float(high)


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean over domains, resample by resample: the domains share their source images."""
    resampled = np.mean([each.resampled for each in estimates], axis=0)
    return Estimate(float(np.mean([each.value for each in estimates])), resampled)


def harmonic_mean(base: Estimate, new: Estimate) -> Estimate:
    """Return H = 2 b n / (b + n) of two accuracies, resample by resample; 0 where both are 0 (OGEN's protocol)."""
    pairs = np.stack([np.append(base.resampled, base.value), np.append(new.resampled, new.value)])
    total = pairs.sum(axis=0)
    means = np.divide(2.0 * pairs.prod(axis=0), total, out=np.zeros_like(total), where=total > 0)
    return Estimate(float(means[-1]), means[:-1])


def estimates(
    outcome: Outcomes, places: Integers, functions: dict[str, Metric], blocks: Sequence[Floats]
) -> dict[str, Estimate]:
    """Return every metric's estimate on one table of outcomes.

    Args:
        outcome: the images' outcomes.
        places: position of each image's source among all source images.
        functions: the metrics.
        blocks: bootstrap weights of all source images, in blocks.
    """
    whole = np.ones((1, len(places)))
    return {
        name: Estimate(
            float(function(outcome, whole)[0]),
            np.concatenate([function(outcome, block[:, places]) for block in blocks]),
        )
        for name, function in functions.items()
    }
