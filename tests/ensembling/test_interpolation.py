"""Numeric checks 10 and 11: averaging of weights."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts.common.errors import InputError
from workflow_scripts.ensembling.interpolation import interpolate


def ends():
    generator = torch.Generator().manual_seed(0)
    start = {"weight": torch.randn(4, 3, generator=generator), "steps": torch.tensor(7)}
    end = {"weight": torch.randn(4, 3, generator=generator), "steps": torch.tensor(9)}
    return start, end


@pytest.mark.parametrize("alpha", [0, "0.00", 0.0])
def test_alpha_zero_is_the_pretrained_end_bit_for_bit(alpha):
    start, end = ends()
    averaged = interpolate(start, end, alpha)
    assert all(torch.equal(averaged[name], start[name]) for name in start)
    assert averaged["weight"] is not start["weight"]


@pytest.mark.parametrize("alpha", [1, "1.00", 1.0])
def test_alpha_one_is_the_finetuned_end_bit_for_bit(alpha):
    start, end = ends()
    averaged = interpolate(start, end, alpha)
    assert all(torch.equal(averaged[name], end[name]) for name in start)


def test_midpoint_and_counters():
    start, end = ends()
    averaged = interpolate(start, end, "0.50")
    torch.testing.assert_close(averaged["weight"], (start["weight"] + end["weight"]) / 2, rtol=0.0, atol=1e-7)
    assert averaged["steps"].item() == 7
    assert averaged["steps"].dtype == torch.int64


def test_half_precision_is_averaged_in_float32():
    start = {"weight": torch.tensor([1.0, 2048.0]).half()}
    end = {"weight": torch.tensor([1.001, 2050.0]).half()}
    averaged = interpolate(start, end, 0.3)["weight"]
    expected = (0.7 * start["weight"].float() + 0.3 * end["weight"].float()).half()
    assert averaged.dtype == torch.float16
    assert torch.equal(averaged, expected)


@given(st.floats(0.0, 1.0))
def test_a_linear_models_logits_are_interpolated(alpha):
    start, end = ends()
    inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    expected = (1 - alpha) * inputs @ start["weight"].T + alpha * inputs @ end["weight"].T
    averaged = inputs @ interpolate(start, end, alpha)["weight"].T
    torch.testing.assert_close(averaged, expected, rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, "2.00"])
def test_alpha_outside_is_refused(alpha):
    start, end = ends()
    with pytest.raises(InputError, match=r"outside 0\.\.1"):
        interpolate(start, end, alpha)


def test_tensors_that_do_not_fit_are_named():
    start, end = ends()
    extra = {**end, "more": torch.zeros(1)}
    missing = {"steps": end["steps"]}
    other = {**end, "weight": torch.zeros(2, 3)}
    for misfit, message in (
        (extra, "unexpected more"),
        (missing, "missing weight"),
        (other, r"weight has shape \[2, 3\]"),
    ):
        with pytest.raises(InputError, match=message):
            interpolate(start, misfit, 0.5)
