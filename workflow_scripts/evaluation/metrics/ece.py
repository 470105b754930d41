"""Expected calibration error: by how much confidence misses accuracy."""

import numpy as np

from workflow_scripts.evaluation.metric import Metric
from workflow_scripts.evaluation.outcomes import Floats, Outcomes, sums


def calibration_error(outcome: Outcomes, weights: Floats, *, bins: int) -> Floats:
    """Return the expected calibration error: sum_b (n_b / n) |accuracy_b - confidence_b| over bins of equal width."""
    number = np.minimum((outcome.confidence * bins).astype(np.int64), bins - 1)
    gap = sums(outcome.hit - outcome.confidence, number, weights, count=bins)
    result: Floats = np.abs(gap).sum(axis=1) / weights.sum(axis=1)
    return result


METRIC = Metric(
    title="expected calibration error",
    percent=True,
    higher_is_better=False,
    value=lambda outcome, weights, settings: calibration_error(outcome, weights, bins=settings.bins),
)
