"""What is known of every image that was scored, and sums of it under weights of the images."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

COLUMNS = (
    *("label_set", "classes", "image_id", "label", "top_classes", "top_logits"),
    *("log_sum_exp", "true_logit", "sum_squared_probabilities"),
)
"""Columns of a score table that outcomes are made of."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The images of one alpha, domain and label set, as arrays with one entry per image.

    Attributes:
        image_index: place among all image ids.
        label: number of the true class.
        top_classes: (images, up to 5) classes of the largest logits, the largest first.
        top_logits: these logits.
        log_sum_exp: of all logits.
        true_logit: logit of the true class.
        sum_squared_probabilities: over all classes.
        classes: number of classes that compete.
    """

    image_index: Integers
    label: Integers
    top_classes: Integers
    top_logits: Floats
    log_sum_exp: Floats
    true_logit: Floats
    sum_squared_probabilities: Floats
    classes: int

    @cached_property
    def hit(self) -> Floats:
        """Return 1 where the predicted class is the true one."""
        result: Floats = (self.top_classes[:, 0] == self.label).astype(np.float64)
        return result

    @cached_property
    def nll(self) -> Floats:
        """Return the negative log-likelihood: log-sum-exp minus the true logit."""
        result: Floats = self.log_sum_exp - self.true_logit
        return result

    @cached_property
    def confidence(self) -> Floats:
        """Return the probability of the predicted class."""
        result: Floats = np.exp(self.top_logits[:, 0] - self.log_sum_exp).clip(0.0, 1.0)
        return result


def outcomes(scores: pa.Table, image_ids: pa.Array) -> Outcomes:
    """Return the outcomes of the images of one alpha, domain and label set.

    Args:
        scores: `COLUMNS` of a score table.
        image_ids: the ids of all images, each once.
    """
    return Outcomes(
        image_index=pc.index_in(scores["image_id"], value_set=image_ids).to_numpy().astype(np.int64),
        label=scores["label"].to_numpy().astype(np.int64),
        top_classes=_matrix(scores["top_classes"]).astype(np.int64),
        top_logits=_matrix(scores["top_logits"]).astype(np.float64),
        log_sum_exp=scores["log_sum_exp"].to_numpy().astype(np.float64),
        true_logit=scores["true_logit"].to_numpy().astype(np.float64),
        sum_squared_probabilities=scores["sum_squared_probabilities"].to_numpy().astype(np.float64),
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


def sums(values: Floats, groups: Integers, weights: Floats, *, count: int) -> Floats:
    """Return the weighted sum of values within each group, (resamples, count)."""
    coordinates = (np.arange(len(groups)), groups)
    result: Floats = (csr_array((values, coordinates), shape=(len(groups), count)).T @ weights.T).T
    return result
