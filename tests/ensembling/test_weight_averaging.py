"""Averages along a training: SWAD's valley, running means, what is averaged and what is not."""

import pytest
import torch

from workflow_scripts.ensembling.swad import Swad
from workflow_scripts.ensembling.weight_averaging import (
    BestWeights,
    LastWeights,
    MovingAverage,
    RunningMean,
    UniformSoup,
)


def weights(value: float) -> dict[str, torch.Tensor]:
    return {"w": torch.tensor([value])}


def walk(swad: Swad, losses: list[float], *, first: float = 1.0) -> Swad:
    """Take one step to weight 1, 2, 3, ... before each check."""
    for number, loss in enumerate(losses):
        swad.after_step(weights(first + number))
        swad.after_validation(weights(first + number), held_out_loss=loss)
    return swad


def test_swad_converges_at_the_lowest_of_three() -> None:
    swad = walk(Swad(), [1.0, 0.5, 0.6])
    assert swad.valley is None
    walk(swad, [0.7], first=4.0)
    assert swad.threshold == pytest.approx(0.78, abs=1e-6)
    assert swad.valley is not None
    # The valley begins at the segment of loss 0.5, which held weight 2; those of 0.6 and 0.7 still wait.
    assert swad.valley.mean["w"].item() == 2.0
    assert [segment.loss for segment in swad.waiting] == [0.6, 0.7]
    result = swad.result()
    assert result is not None
    assert result["w"].item() == pytest.approx((2.0 + 3.0 + 4.0) / 3)


def test_swad_leaves_the_valley_when_tolerance_is_used_up() -> None:
    swad = walk(Swad(n_converge=2, n_tolerance=2, tolerance_ratio=0.1), [0.5, 0.52, 0.53, 0.9, 0.9, 0.9, 0.5])
    assert swad.ended
    result = swad.result()
    assert result is not None
    # 0.5, 0.52 and 0.53 (after which 0.9 is forgiven once) belong to it; the low loss at the end comes too late.
    assert result["w"].item() == pytest.approx((1.0 + 2.0 + 3.0) / 3)


def test_swad_averages_every_step_of_a_segment() -> None:
    swad = Swad(n_converge=1)
    for value in (1.0, 2.0, 3.0, 4.0):
        swad.after_step(weights(value))
    swad.after_validation(weights(4.0), held_out_loss=0.5)
    result = swad.result()
    assert result is not None
    assert result["w"].item() == pytest.approx(2.5, abs=1e-7)


def test_without_a_valley_the_last_weights_stand() -> None:
    assert walk(Swad(), [3.0, 2.0, 1.0, 0.5]).result() is None
    assert LastWeights().result() is None


def test_swad_goes_on_from_its_state() -> None:
    losses = [1.0, 0.5, 0.6, 0.7, 0.6, 0.55, 0.7, 0.6, 0.9]
    whole = walk(Swad(), losses)
    half = walk(Swad(), losses[:4])
    rest = Swad()
    rest.restore(half.state())
    walk(rest, losses[4:], first=5.0)
    assert whole.result() == rest.result()


def test_a_running_mean_is_uniform() -> None:
    mean = RunningMean()
    for value in (1.0, 2.0, 3.0, 4.0):
        mean.add(weights(value))
    assert mean.mean["w"].item() == pytest.approx(2.5, abs=1e-7)


def test_a_moving_average_forgets() -> None:
    average = MovingAverage(decay=0.75)
    for value in (0.0, 1.0, 1.0):
        average.after_step(weights(value))
    result = average.result()
    assert result is not None
    assert result["w"].item() == pytest.approx(1 - 0.75**2)


def test_soup_and_best_look_at_validations_only() -> None:
    soup, best = UniformSoup(), BestWeights()
    for value, loss in ((1.0, 0.9), (2.0, 0.4), (6.0, 0.4)):
        for average in (soup, best):
            average.after_step(weights(100.0))
            average.after_validation(weights(value), held_out_loss=loss)
    assert soup.result() == {"w": torch.tensor([3.0])}
    assert best.result() == {"w": torch.tensor([2.0])}


def test_what_is_kept_does_not_follow_the_training() -> None:
    parameter = torch.tensor([1.0])
    average = MovingAverage(decay=0.5)
    average.after_step({"w": parameter})
    parameter.fill_(7.0)
    assert average.result() == {"w": torch.tensor([1.0])}
