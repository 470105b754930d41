"""Which images no training sees: the last fifth of every class, or DomainBed's random fifth of a domain."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

HELD_OUT_FRACTION = 0.2

Flags = list[npt.NDArray[np.bool_]]
"""For each class, for each index within it, whether the image is held out."""


def last_of_each_class(counts: Sequence[int]) -> Flags:
    """Hold out the last fifth of every class, at least one image of it; a class of one image is trained on."""
    return [np.arange(count) >= count - min(count - 1, max(1, round(count * HELD_OUT_FRACTION))) for count in counts]


def domainbed_split(counts: Sequence[int], *, seed: int) -> Flags:
    """Hold out a random fifth of a domain's images, numbered class by class (DomainBed's `split_dataset`).

    Args:
        counts: images of each class.
        seed: of numpy's RandomState, whose shuffle is the same in every version; see `seeds.domainbed_seed`.
    """
    order = np.arange(sum(counts))
    np.random.RandomState(seed).shuffle(order)
    held_out = np.zeros(len(order), dtype=bool)
    held_out[order[: int(len(order) * HELD_OUT_FRACTION)]] = True
    return np.split(held_out, np.cumsum(counts)[:-1])
