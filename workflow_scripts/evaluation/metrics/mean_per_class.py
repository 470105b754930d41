"""Mean per-class accuracy, in which a rare class counts like a frequent one."""

import numpy as np

from workflow_scripts.evaluation.metric import Metric
from workflow_scripts.evaluation.outcomes import Floats, Outcomes, sums


def mean_per_class(outcome: Outcomes, weights: Floats) -> Floats:
    """Return the mean over classes of each class's accuracy; a class with no image in a resample does not count."""
    counts = sums(np.ones_like(outcome.hit), outcome.label, weights, count=outcome.classes)
    hits = sums(outcome.hit, outcome.label, weights, count=outcome.classes)
    present = counts > 0
    accuracy = np.divide(hits, counts, out=np.zeros_like(hits), where=present)
    result: Floats = accuracy.sum(axis=1) / present.sum(axis=1)
    return result


METRIC = Metric(
    title="mean per-class accuracy",
    percent=True,
    higher_is_better=True,
    value=lambda outcome, weights, _: mean_per_class(outcome, weights),
    has_harmonic_mean=True,
)
