"""From a method's settings to the averager of its training's weights."""

from typing import assert_never

from workflow_scripts.ensembling.swad import Swad
from workflow_scripts.ensembling.weight_averaging import (
    BestWeights,
    LastWeights,
    MovingAverage,
    UniformSoup,
    WeightAverager,
)
from workflow_scripts.training.method_settings import (
    Averaging,
    BestAveraging,
    EmaAveraging,
    NoAveraging,
    SoupAveraging,
    SwadAveraging,
)


def averager_of(settings: Averaging) -> WeightAverager:
    """Return a fresh averager of the kind that the settings name."""
    match settings:
        case EmaAveraging():
            return MovingAverage(settings.decay)
        case SoupAveraging():
            return UniformSoup()
        case BestAveraging():
            return BestWeights()
        case SwadAveraging():
            return Swad(settings.n_converge, settings.n_tolerance, settings.tolerance_ratio)
        case NoAveraging():
            return LastWeights()
        case _:
            assert_never(settings)
