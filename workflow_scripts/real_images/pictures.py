"""What a kind of data set hands over: pictures, their labels and their names."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workflow_scripts.common.shards import Credit

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The pictures of one source in one domain; a picture's number is its place among `labels`."""

    labels: npt.NDArray[np.int64]
    """Label of each picture, (pictures): its class's number in the order of the names, from 0."""
    image_id: Callable[[int], str]
    """Names what a picture shows, each picture of a source and domain by another name.

    The same photo in two domains has one name: intervals resample them together.
    """
    read: Callable[[range], Iterable[bytes | Pixels]]
    """Yields the pictures of a block of numbers, in order.

    Each is the bytes of a picture file, which are kept as they are, or an array (height, width) or (height, width, 3).
    """
    path: Callable[[int], str] | None = None
    """What an error calls a picture; its name if None."""
    credit: Callable[[int], Credit] | None = None
    """Whose drawing a picture is, if somebody has to be named."""
