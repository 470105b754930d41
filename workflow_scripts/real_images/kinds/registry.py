"""The registry of data sets, a line each: a module of this package that has `SETTINGS`, a subclass of `RealImages`."""

from typing import Any

from workflow_scripts.common.parts import any_of, kinds_of, name_of
from workflow_scripts.real_images.kind import RealImages

MODULES = (
    "fashion_mnist",
    "digits",
    "folder",
    "icons",
    "none",
)
"""Module of every kind, in the order of the schema."""

KINDS = kinds_of(MODULES, module="real_images.kinds.{}", base=RealImages)  # type: ignore[type-abstract]
"""Settings class of every kind, by module."""

AnyImages: Any = any_of(KINDS)


def kind_module(images: RealImages) -> str:
    """Return the module of a data set's kind."""
    return name_of(KINDS, images)
