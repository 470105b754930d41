"""The three domains of the built-in data sets: the same pictures as they are, inverted, and as edges."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from workflow_scripts.real_images.settings import BuiltInDomain

Greys = npt.NDArray[np.uint8]


def in_domain(images: Greys, domain: BuiltInDomain) -> Greys:
    """Show grey pictures (images, height, width) in a domain; shape and type stay."""
    if domain == "photo":
        return images
    if domain == "negative":
        return 255 - images
    return edges(images)


def edges(images: Greys) -> Greys:
    """Return the Sobel magnitude of each picture, scaled so that its strongest edge is 255 (0 on a flat picture)."""
    values = images.astype(np.float32)
    magnitude = np.hypot(ndimage.sobel(values, axis=1), ndimage.sobel(values, axis=2))
    strongest = magnitude.max(axis=(1, 2), keepdims=True)
    scaled = 255.0 * magnitude / np.where(strongest > 0, strongest, 1.0)
    result: Greys = scaled.round().astype(np.uint8)
    return result
