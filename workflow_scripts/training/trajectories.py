"""From a method's settings to the average over its training's weights."""

from workflow_scripts.ensembling.swad import Swad
from workflow_scripts.ensembling.trajectory import BestCheck, LastWeights, MovingAverage, Soup, Trajectory
from workflow_scripts.training.method_settings import (
    Averaging,
    BestEpoch,
    MovingAveraging,
    SoupAveraging,
    SwadAveraging,
)


def trajectory_of(settings: Averaging) -> Trajectory:
    """Return a fresh average of the kind that the settings name."""
    match settings:
        case MovingAveraging():
            return MovingAverage(settings.decay)
        case SoupAveraging():
            return Soup()
        case BestEpoch():
            return BestCheck()
        case SwadAveraging():
            return Swad(settings.n_converge, settings.n_tolerance, settings.tolerance_ratio)
        case _:
            return LastWeights()
