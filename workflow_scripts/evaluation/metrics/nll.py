"""Negative log-likelihood of the true class, in nats."""

from workflow_scripts.evaluation.metric import Metric
from workflow_scripts.evaluation.outcomes import weighted_mean

METRIC = Metric(
    title="negative log-likelihood",
    percent=False,
    higher_is_better=False,
    value=lambda outcome, weights, _: weighted_mean(outcome.nll, weights),
)
