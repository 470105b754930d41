"""Top-5 accuracy: how many images' class is among the five of the largest logits."""

import numpy as np

from workflow_scripts.evaluation.metric import Metric
from workflow_scripts.evaluation.outcomes import Floats, Outcomes, weighted_mean

MAX_CLASSES_WITHOUT_TOP5 = 5


def top5(outcome: Outcomes, weights: Floats) -> Floats:
    """Return top-5 accuracy under each row of weights (resamples, images)."""
    hit = (outcome.top_classes == outcome.label[:, None]).any(axis=1).astype(np.float64)
    return weighted_mean(hit, weights)


METRIC = Metric(
    title="top-5 accuracy",
    percent=True,
    higher_is_better=True,
    value=lambda outcome, weights, _: top5(outcome, weights),
    applies=lambda outcome: outcome.classes > MAX_CLASSES_WITHOUT_TOP5,
)
