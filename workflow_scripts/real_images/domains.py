"""The three domains of the built-in data sets: the same pictures as they are, inverted, and as edges."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from workflow_scripts.real_images.settings import BuiltInDomain

GrayImages = npt.NDArray[np.uint8]


def in_domain(images: GrayImages, domain: BuiltInDomain) -> GrayImages:
    """Show gray pictures (images, height, width) in a domain; shape and type stay."""
    if domain == "photo":
        return images
    if domain == "negative":
        return 255 - images
    return edges(images)


def edges(images: GrayImages) -> GrayImages:
    """Return the Sobel magnitude of each picture, scaled so that its strongest edge is 255 (0 on a flat picture)."""
    values = images.astype(np.float32)
    magnitude = np.hypot(_sobel(values, along=1, across=2), _sobel(values, along=2, across=1))
    strongest = magnitude.max(axis=(1, 2), keepdims=True)
    scaled = 255.0 * magnitude / np.where(strongest > 0, strongest, 1.0)
    result: GrayImages = scaled.round().astype(np.uint8)
    return result


def _sobel(values: npt.NDArray[np.float32], *, along: int, across: int) -> npt.NDArray[np.float32]:
    # Not ndimage.sobel: it smooths across every other axis, and so would mix neighboring pictures.
    difference = ndimage.correlate1d(values, [-1.0, 0.0, 1.0], axis=along)
    result: npt.NDArray[np.float32] = ndimage.correlate1d(difference, [1.0, 2.0, 1.0], axis=across)
    return result
