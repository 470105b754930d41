"""Numeric checks 1-4 of RegFT's regularizer."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts.training.losses import covariance_matrix, covariance_term, variance_covariance, variance_term

FEATURES = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]])


def regularizer(features):
    return variance_covariance(features, variance_weight=0.16, covariance_weight=0.02)


def test_parts_of_a_worked_example():
    covariance = covariance_matrix(FEATURES)
    torch.testing.assert_close(covariance, torch.tensor([[4.0, -2.0], [-2.0, 4.0]]))
    assert variance_term(covariance) == 0.0
    assert covariance_term(covariance) == pytest.approx(4.0, abs=1e-6)
    assert float(regularizer(FEATURES)) == pytest.approx(0.08, abs=1e-6)


def test_small_features_are_pushed_apart():
    covariance = covariance_matrix(0.1 * FEATURES)
    assert float(variance_term(covariance)) == pytest.approx(0.79999975, abs=1e-6)
    assert float(covariance_term(covariance)) == pytest.approx(4e-4, abs=1e-6)
    assert float(regularizer(0.1 * FEATURES)) == pytest.approx(0.12800796, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 8), st.integers(1, 6))
def test_shift_and_order_do_not_matter(seed, rows, columns):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    shifted = features + torch.randn(1, columns, generator=generator, dtype=torch.float64)
    permuted = features[torch.randperm(rows, generator=generator)]
    for other in (shifted, permuted):
        assert float(regularizer(other)) == pytest.approx(float(regularizer(features)), abs=1e-6)


def test_gradient_where_deviations_are_small_only():
    small = (0.1 * FEATURES).requires_grad_()
    variance_term(covariance_matrix(small)).backward()
    assert small.grad is not None
    assert small.grad.abs().sum() > 0
    large = FEATURES.clone().requires_grad_()
    variance_term(covariance_matrix(large)).backward()
    assert large.grad is not None
    assert large.grad.abs().sum() == 0


def test_half_precision_is_computed_in_float32():
    assert regularizer(FEATURES.bfloat16()).dtype == torch.float32
    assert float(regularizer(FEATURES.bfloat16())) == pytest.approx(0.08, abs=1e-6)


def test_one_dimension_has_no_covariance():
    assert float(covariance_term(covariance_matrix(torch.tensor([[1.0], [4.0]])))) == 0.0


@pytest.mark.parametrize("features", [torch.zeros(1, 4), torch.zeros(4)])
def test_too_few_rows_or_axes_are_refused(features):
    with pytest.raises(ValueError, match=r"batch"):
        regularizer(features)
