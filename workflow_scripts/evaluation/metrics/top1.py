"""Top-1 accuracy: how many images' largest logit is that of their class."""

from workflow_scripts.evaluation.metric import Metric
from workflow_scripts.evaluation.outcomes import weighted_mean

METRIC = Metric(
    title="top-1 accuracy",
    percent=True,
    higher_is_better=True,
    value=lambda outcome, weights, _: weighted_mean(outcome.hit, weights),
    has_harmonic_mean=True,
)
