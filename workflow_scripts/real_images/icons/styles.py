"""The style of a drawing, told from its pixels: its name only says what its author calls it."""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Style = Literal["outline", "solid", "shaded", "colour"]
STYLES: tuple[str, ...] = get_args(Style)

SIDE = 32
"""Height and width at which styles are told; larger drawings are scaled down to it."""
_BLOCK = 4096
_DRAWN = 0.05
"""Darkness from which a pixel belongs to the drawing."""
_SATURATED = 40
"""Difference of a pixel's strongest and weakest channel from which it has a colour."""
_COLOURED = 0.1
"""Share of the drawing that has a colour, from which it is a colour one."""
_FLAT = 0.06
"""Largest difference of darkness around a pixel inside of an even area."""
_SHADED = 0.06
"""Share of the drawing that is evenly grey, from which it is shaded."""
_STROKE = 5
"""Pixels of 32 that no stroke is wide: an area that holds such a square is filled."""
_SOLID = 0.02
"""Share of the ink at the middles of such squares, from which a drawing is solid."""

Pixels = npt.NDArray[np.uint8]


def ink_of(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Return how dark each pixel is on white: its weakest channel, (pictures, height, width) in 0..1."""
    result: npt.NDArray[np.float32] = 1.0 - pixels.min(axis=-1).astype(np.float32) / 255.0
    return result


def styles_of(pixels: Pixels) -> list[str]:
    """Return the style of each drawing.

    In this order: colour, if a tenth of it has one; shaded, if some of it is evenly grey; solid, if some of it is
    wider than any stroke; outline. Of the icons of the hundred classes whose keys name a style, 3 % of the outlined
    ones are told as solid and 4 % of the solid ones as outline, most of them rightly (docs/icons.md).

    Args:
        pixels: drawings on white, (drawings, height, width, 3); height and width are a multiple of 32.
    """
    return [style for start in range(0, len(pixels), _BLOCK) for style in _styles(pixels[start : start + _BLOCK])]


def _styles(pixels: Pixels) -> list[str]:
    small = _scaled_down(pixels)
    ink = ink_of(small)
    drawn = np.maximum((ink > _DRAWN).sum(axis=(1, 2)), 1)
    saturated = (small.max(axis=-1).astype(np.int16) - small.min(axis=-1)) > _SATURATED
    # The windows have no extent along the first axis: each picture is looked at by itself.
    around = ndimage.maximum_filter(ink, size=(1, 3, 3)) - ndimage.minimum_filter(ink, size=(1, 3, 3))
    grey = (around < _FLAT) & (ink > _DRAWN) & (ink < 1.0 - 2 * _DRAWN)
    dark = ink > 0.5
    inside = ndimage.minimum_filter(dark, size=(1, _STROKE, _STROKE))
    is_colour = saturated.sum(axis=(1, 2)) / drawn >= _COLOURED
    is_shaded = grey.sum(axis=(1, 2)) / drawn >= _SHADED
    is_solid = inside.sum(axis=(1, 2)) / np.maximum(dark.sum(axis=(1, 2)), 1) >= _SOLID
    number = np.select([is_colour, is_shaded, is_solid], [3, 2, 1], default=0)
    return [STYLES[index] for index in number]


def _scaled_down(pixels: Pixels) -> Pixels:
    count, height, width, channels = pixels.shape
    if height == SIDE:
        return pixels
    blocks = pixels.reshape(count, SIDE, height // SIDE, SIDE, width // SIDE, channels)
    result: Pixels = blocks.mean(axis=(2, 4)).round().astype(np.uint8)
    return result
