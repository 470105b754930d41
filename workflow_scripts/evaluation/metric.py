"""What a metric is: how it is shown, and a function of outcomes, in a module of `evaluation.metrics`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from workflow_scripts.common.parts import part_of
from workflow_scripts.evaluation.metrics.registry import METRICS
from workflow_scripts.evaluation.outcomes import Floats, Outcomes
from workflow_scripts.evaluation.settings import Metrics


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that images of one label set are summed up in."""

    title: str
    """What the page calls it."""
    percent: bool
    """Whether it is shown as a percentage."""
    higher_is_better: bool
    value: Callable[[Outcomes, Floats, Metrics], Floats]
    """Returns the metric, a fraction where it is a percentage, under each row of weights (resamples, images).

    They say how often an image counts; every row counts some image.
    """
    applies: Callable[[Outcomes], bool] = lambda _: True
    """Whether it says anything of these images."""
    has_harmonic_mean: bool = False
    """Whether base and new classes are joined by their harmonic mean, which only accuracies are."""


@cache
def metrics() -> dict[str, Metric]:
    """Return every metric by its name in metric tables, in the order of the page.

    Raises:
        InputError: a module is missing or has no metric.
    """
    return {name: part_of(f"evaluation.metrics.{name}", "METRIC", of=Metric) for name in METRICS}
