"""Numeric checks 5 and 6: warm-up, then cosine."""

import pytest

from workflow_scripts.training.learning_rates import learning_rate, warmup_steps


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 2e-6), (249, 5e-4), (499, 1e-3), (500, 1e-3), (2750, 5e-4), (4999, 1.2185e-10)],
)
def test_rates_of_the_release(step, expected):
    assert learning_rate(step, base=1e-3, warmup=500, total=5000) == pytest.approx(expected, rel=1e-4)


def test_fewer_steps_than_warmup_never_reach_the_peak():
    assert learning_rate(49, base=1e-3, warmup=500, total=50) == pytest.approx(1e-4, rel=1e-6)


def test_warmup_is_a_fraction_of_all_steps():
    assert warmup_steps(5000, warmup_fraction=0.1) == 500
    assert warmup_steps(50, warmup_fraction=0.1) == 5
    assert warmup_steps(50, warmup_fraction=0.0) == 0


def test_no_warmup_starts_at_the_peak():
    assert learning_rate(0, base=0.5, warmup=0, total=10) == 0.5
