"""What a check of drawn images is: a function in a module of `common.image_checks`, asked when an image is stored."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.image_checks.registry import CHECKS
from workflow_scripts.common.parts import part_of


@dataclass(frozen=True, kw_only=True)
class DrawnImage:
    """An image as it was drawn: its pixels (height, width, 3), and the safety checker's verdict (None: it has none)."""

    pixels: npt.NDArray[np.uint8]
    flagged: bool | None = None


@dataclass(frozen=True)
class ImageCheck:
    """A reason to leave an image out."""

    found: Callable[[DrawnImage], bool | None]
    """Returns whether the image, as it was drawn, is to be left out; None if nobody can say."""


@cache
def _checks() -> dict[str, ImageCheck]:
    return {name: part_of(f"common.image_checks.{name}", "CHECK", of=ImageCheck) for name in CHECKS}


def checked(image: DrawnImage) -> dict[str, bool | None]:
    """Return what every check finds, by its column.

    Raises:
        InputError: a module of the registry is missing or has no check, or a check says neither yes, no nor None.
    """
    found: dict[str, bool | None] = {}
    for name, check in _checks().items():
        value = check.found(image)
        if value is not None and not isinstance(value, bool | np.bool_):
            raise InputError(f"common.image_checks.{name}: found {value!r}; it must say True, False or None")
        found[name] = None if value is None else bool(value)
    return found
