"""Gains of one row over another, on the same images."""

import numpy as np
import pytest

from benchmarks.paired_gains import gain

IMAGES = 400


def rows() -> tuple[np.ndarray, np.ndarray]:
    reference = np.random.default_rng(1).random((1, IMAGES)) < 0.5
    row = reference.copy()
    # Right on forty more images, whatever else it gets right.
    row[0, np.flatnonzero(~reference[0])[:40]] = True
    return row.astype(float), reference.astype(float)


def test_a_gain_is_paired() -> None:
    row, reference = rows()
    value, low, high = gain({"photo": row}, {"photo": reference})
    assert value == pytest.approx(0.1)
    # The deviation of forty gained images of four hundred is 0.015; that of two independent accuracies is 0.035.
    assert low == pytest.approx(0.1 - 1.96 * 0.015, abs=0.004)
    assert high == pytest.approx(0.1 + 1.96 * 0.015, abs=0.004)


def test_domains_count_alike_and_seeds_vary() -> None:
    row, reference = rows()
    better, worse = np.concatenate([row, row]), np.concatenate([reference, row])
    value, low, high = gain({"photo": worse, "sketch": reference}, {"photo": reference, "sketch": reference})
    assert value == pytest.approx(0.025)
    # One of two seeds gains nothing: a fourth of the resamples hold that seed alone.
    assert low == 0.0
    assert high > 0.05
    assert gain({"photo": better}, {"photo": better}) == (0.0, 0.0, 0.0)
