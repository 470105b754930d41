"""Brier score of all classes: sum_k (p_k - y_k)^2, between 0 and 2."""

import numpy as np

from workflow_scripts.evaluation.metric import Metric
from workflow_scripts.evaluation.outcomes import Floats, Outcomes, weighted_mean


def brier(outcome: Outcomes, weights: Floats) -> Floats:
    """Return the Brier score, 1 - 2 p_true + sum_k p_k^2, under each row of weights (resamples, images)."""
    return weighted_mean(1.0 - 2.0 * np.exp(-outcome.nll) + outcome.sum_squared_probabilities, weights)


METRIC = Metric(
    title="Brier score",
    percent=False,
    higher_is_better=False,
    value=lambda outcome, weights, _: brier(outcome, weights),
)
