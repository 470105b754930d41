"""The training picture that a drawn one resembles most."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workflow_scripts.real_images.icons.styles import Pixels
from workflow_scripts.real_images.icons.twins import crops_of

_BLOCK = 1024


def nearest(drawn: Pixels, trained: Pixels, names: Sequence[str]) -> tuple[npt.NDArray[np.float32], list[str]]:
    """Return the correlation of each drawn picture with the training picture that it resembles most, and its name.

    Both are compared as twins among icons are: their ink, cropped and scaled to 24 x 24. Two drawings above 0.97 are
    taken for one.

    Args:
        drawn: (pictures, height, width, 3).
        trained: (training pictures, height, width, 3).
        names: what the training pictures are called, (training pictures).
    """
    ours, theirs = crops_of(drawn), crops_of(trained)
    values, numbers = [], []
    for start in range(0, len(ours), _BLOCK):
        similar = ours[start : start + _BLOCK] @ theirs.T
        best = similar.argmax(axis=1)
        numbers += best.tolist()
        values.append(similar[np.arange(len(best)), best])
    return np.concatenate(values), [names[number] for number in numbers]
