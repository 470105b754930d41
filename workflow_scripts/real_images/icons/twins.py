"""Which drawings are one and the same: copies between sets, sizes of one icon, an icon under two names."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workflow_scripts.real_images.icons.styles import Pixels, ink_of

SAME = 0.97
"""Correlation above which two drawings are twins: the prototype's, checked by eye."""
_SIDE = 24
_BLOCK = 2048

Crops = npt.NDArray[np.float32]


def crops_of(pixels: Pixels) -> Crops:
    """Return the ink of each drawing, cropped to a square around it, at 24 x 24, as unit vectors without mean.

    Args:
        pixels: drawings on white, (drawings, height, width, 3).

    Returns:
        (drawings, 576): the dot product of two rows is the correlation of the two drawings; 0 where nothing is drawn.
    """
    ink = ink_of(pixels)
    crops = np.stack([_crop(picture) for picture in ink]) if len(ink) else np.empty((0, _SIDE, _SIDE), np.float32)
    flat = crops.reshape(len(crops), _SIDE * _SIDE)
    flat = flat - flat.mean(axis=1, keepdims=True)
    result: Crops = (flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)).astype(np.float32)
    return result


def _crop(ink: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    rows, columns = (np.flatnonzero((ink > 0.1).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros((_SIDE, _SIDE), dtype=np.float32)
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    half = max(height, width) / 2
    middle_y, middle_x = rows[0] + height / 2, columns[0] + width / 2
    box = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
    # A box beyond the edge is not cropped by `resize`: white lies around the drawing.
    margin = max(ink.shape)
    wide = Image.fromarray(np.pad(ink, margin))
    moved = tuple(side + margin for side in box)
    return np.asarray(wide.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box=moved), dtype=np.float32)


def twin_pairs(first: Crops, second: Crops) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the numbers of the rows of two tables of crops that are twins, pair by pair."""
    rows, columns = [], []
    for start in range(0, len(first), _BLOCK):
        row, column = np.nonzero(first[start : start + _BLOCK] @ second.T > SAME)
        rows.append(row + start)
        columns.append(column)
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(rows), np.concatenate(columns)


def first_of_twins(crops: Crops, names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which drawings are the first of their group of twins, each group of names by itself.

    A group is all that hang together: a twin's twin belongs to it.

    Args:
        crops: (drawings, 576).
        names: drawings are compared with those of the same name.
    """
    kept = np.zeros(len(crops), dtype=bool)
    for members in _by_name(names):
        rows, columns = twin_pairs(crops[members], crops[members])
        linked = coo_array((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(len(members), len(members)))
        _, group = connected_components(linked, directed=False)
        _, first = np.unique(group, return_index=True)
        kept[members[first]] = True
    return kept


def _by_name(names: Sequence[str]) -> Iterable[npt.NDArray[np.int64]]:
    _, number = np.unique(np.array(names), return_inverse=True)
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(order) else ()
