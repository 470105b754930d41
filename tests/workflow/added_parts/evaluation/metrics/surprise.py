"""A metric: the largest negative log-likelihood of any image that counts."""

import numpy as np

from workflow_scripts.evaluation.metric import Metric

METRIC = Metric(
    title="largest surprise",
    percent=False,
    higher_is_better=False,
    value=lambda outcome, weights, _: np.where(weights > 0, outcome.nll, 0.0).max(axis=1),
)
