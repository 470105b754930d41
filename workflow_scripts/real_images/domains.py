"""Three domains that are computed: the same pictures as they are, inverted, and as edges."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from workflow_scripts.common.errors import InputError
from workflow_scripts.real_images.pictures import Pictures, Pixels


def pictures_in_domain(pixels: Pixels, labels: npt.NDArray[np.int64], *, domain: str, source: str) -> Pictures:
    """Return pictures as they look in a domain, each under one name in all of them.

    Args:
        pixels: gray pictures (pictures, height, width), or colored ones (pictures, height, width, 3).
        labels: (pictures).
        domain: photo, negative or sketch.
        source: where they come from, as part of their names.
    """
    return Pictures(
        labels=labels,
        image_id=lambda number: f"{source}/{number}",
        read=lambda block: in_domain(pixels[block.start : block.stop], domain),
    )


def in_domain(images: Pixels, domain: str) -> Pixels:
    """Show pictures (images, height, width) or (images, height, width, 3) in a domain; shape and type stay.

    Raises:
        InputError: there is no such domain.
    """
    if domain == "photo":
        return images
    if domain == "negative":
        return 255 - images
    if domain == "sketch":
        return edges(images)
    raise InputError(f"{domain!r} is no computed domain (photo, negative, sketch)")


def edges(images: Pixels) -> Pixels:
    """Return the Sobel magnitude of each picture, of each color by itself.

    It is scaled so that a picture's strongest edge is 255 (0 on a flat picture).
    """
    values = images.astype(np.float32)
    magnitude = np.hypot(_sobel(values, along=1, across=2), _sobel(values, along=2, across=1))
    strongest = magnitude.max(axis=tuple(range(1, images.ndim)), keepdims=True)
    scaled = 255.0 * magnitude / np.where(strongest > 0, strongest, 1.0)
    result: Pixels = scaled.round().astype(np.uint8)
    return result


def _sobel(values: npt.NDArray[np.float32], *, along: int, across: int) -> npt.NDArray[np.float32]:
    # Not ndimage.sobel: it smooths across every other axis, and so would mix neighboring pictures.
    difference = ndimage.correlate1d(values, [-1.0, 0.0, 1.0], axis=along)
    result: npt.NDArray[np.float32] = ndimage.correlate1d(difference, [1.0, 2.0, 1.0], axis=across)
    return result
