"""Metrics of per-image scores, with bootstrap intervals over images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Key = TypeVar("Key")

MAX_CLASSES_WITHOUT_TOP5 = 5
_CELLS = 2_000_000
"""Bootstrap weights that are held at once: memory does not grow with the number of resamples."""


@dataclass(frozen=True)
class Outcomes:
    """What the metrics read of each image: arrays of shape (images); `image_index` is its place among all image ids."""

    image_index: Integers
    label: Integers
    top1: Floats
    top5: Floats
    nll: Floats
    brier: Floats
    confidence: Floats
    classes: int


def outcomes(scores: pa.Table, image_ids: pa.Array) -> Outcomes:
    """Return the outcomes of the images of one alpha, domain and label set.

    NLL is log-sum-exp minus the true logit. Brier is the multi-class score, sum_k (p_k - y_k)^2, between 0 and 2:
    1 - 2 p_true + sum_k p_k^2. Confidence is the probability of the predicted class.

    Args:
        scores: the score table's columns.
        image_ids: the ids of all images, each once.
    """
    label = scores["label"].to_numpy().astype(np.int64)
    top = _matrix(scores["top_classes"])
    log_sum_exp = scores["log_sum_exp"].to_numpy().astype(np.float64)
    nll = log_sum_exp - scores["true_logit"].to_numpy()
    largest = _matrix(scores["top_logits"])[:, 0].astype(np.float64)
    squared = scores["sum_squared_probabilities"].to_numpy().astype(np.float64)
    return Outcomes(
        image_index=pc.index_in(scores["image_id"], value_set=image_ids).to_numpy().astype(np.int64),
        label=label,
        top1=(top[:, 0] == label).astype(np.float64),
        top5=(top == label[:, None]).any(axis=1).astype(np.float64),
        nll=nll,
        brier=1.0 - 2.0 * np.exp(-nll) + squared,
        confidence=np.exp(largest - log_sum_exp).clip(0.0, 1.0),
        classes=scores["classes"][0].as_py(),
    )


def _matrix(lists: pa.ChunkedArray) -> npt.NDArray[np.generic]:
    # Lists of one length; as numpy objects they would take ten times the memory.
    values: npt.NDArray[np.generic] = pc.list_flatten(lists).to_numpy()
    return values.reshape(len(lists), -1)


def weighted_mean(values: Floats, weights: Floats) -> Floats:
    """Return the weighted mean of values (images) under each row of weights (resamples, images)."""
    result: Floats = weights @ values / weights.sum(axis=1)
    return result


def _sums(values: Floats, groups: Integers, weights: Floats, *, count: int) -> Floats:
    """Return the weighted sum of values within each group, (resamples, count)."""
    coordinates = (np.arange(len(groups)), groups)
    result: Floats = (csr_array((values, coordinates), shape=(len(groups), count)).T @ weights.T).T
    return result


def mean_per_class(outcome: Outcomes, weights: Floats) -> Floats:
    """Return the mean over classes of each class's accuracy; a class with no image in a resample does not count."""
    counts = _sums(np.ones_like(outcome.top1), outcome.label, weights, count=outcome.classes)
    hits = _sums(outcome.top1, outcome.label, weights, count=outcome.classes)
    present = counts > 0
    accuracy = np.divide(hits, counts, out=np.zeros_like(hits), where=present)
    result: Floats = accuracy.sum(axis=1) / present.sum(axis=1)
    return result


def calibration_error(outcome: Outcomes, weights: Floats, *, bins: int) -> Floats:
    """Return the expected calibration error: sum_b (n_b / n) |accuracy_b - confidence_b| over bins of equal width."""
    number = np.minimum((outcome.confidence * bins).astype(np.int64), bins - 1)
    gap = _sums(outcome.top1 - outcome.confidence, number, weights, count=bins)
    result: Floats = np.abs(gap).sum(axis=1) / weights.sum(axis=1)
    return result


def metrics(outcome: Outcomes, weights: Floats, *, bins: int) -> dict[str, Floats]:
    """Return every metric of a label set under each row of weights (resamples, images).

    Top-5 is only there where there are more than five classes.
    """
    top5 = {"top5": weighted_mean(outcome.top5, weights)} if outcome.classes > MAX_CLASSES_WITHOUT_TOP5 else {}
    return {
        "top1": weighted_mean(outcome.top1, weights),
        **top5,
        "mean_per_class": mean_per_class(outcome, weights),
        "nll": weighted_mean(outcome.nll, weights),
        "brier": weighted_mean(outcome.brier, weights),
        "ece": calibration_error(outcome, weights, bins=bins),
    }


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
        """Return the percentile interval of a level.

        Resampling adds noise to every bin of a calibration error, which is a sum of absolute values: its interval is
        biased upwards and may lie above the value.
        """
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(self.resampled, [tail, 1.0 - tail])
        return float(low), float(high)


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean over domains, resample by resample: the domains share their images."""
    resampled = np.mean([each.resampled for each in estimates], axis=0)
    return Estimate(float(np.mean([each.value for each in estimates])), resampled)


def harmonic_mean(base: Estimate, new: Estimate) -> Estimate:
    """Return H = 2 b n / (b + n) of two accuracies, resample by resample; 0 where both are 0 (OGEN's protocol)."""
    pairs = np.stack([np.append(base.resampled, base.value), np.append(new.resampled, new.value)])
    total = pairs.sum(axis=0)
    means = np.divide(2.0 * pairs.prod(axis=0), total, out=np.zeros_like(total), where=total > 0)
    return Estimate(float(means[-1]), means[:-1])


def estimates(
    tables: Mapping[Key, Outcomes], *, images: int, resamples: int, seed: int, bins: int
) -> dict[Key, dict[str, Estimate]]:
    """Return every metric's estimate on each of several tables of outcomes, which share their resamples.

    Args:
        tables: the outcomes.
        images: number of distinct images.
        resamples: number of bootstrap resamples.
        seed: of the resamples.
        bins: of the calibration error.
    """
    resampled: dict[Key, list[dict[str, Floats]]] = {key: [] for key in tables}
    for block in resample_weights(images, resamples=resamples, seed=seed):
        for key, outcome in tables.items():
            resampled[key].append(metrics(outcome, block[:, outcome.image_index], bins=bins))
    estimate_of = {}
    for key, outcome in tables.items():
        values = metrics(outcome, np.ones((1, len(outcome.image_index))), bins=bins)
        estimate_of[key] = {
            name: Estimate(float(value[0]), np.concatenate([block[name] for block in resampled[key]]))
            for name, value in values.items()
        }
    return estimate_of
