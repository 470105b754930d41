"""The registry of data sets, a line each: a module of this package that has `SETTINGS`, a subclass of `RealImages`."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field

from workflow_scripts.common.plugs import kinds_of
from workflow_scripts.real_images.kind import RealImages

MODULES = (
    "fashion_mnist",
    "digits",
    "folder",
    "none",
)
"""Module of every kind, in the order of the schema."""

KINDS = kinds_of(MODULES, module="real_images.kinds.{}", base=RealImages)
"""Settings class of every kind, by module."""

AnyImages: Any = Annotated[reduce(or_, KINDS.values()), Field(discriminator="kind")]
"""Settings of real images of whatever kind; types cannot say which, since kinds are found by their modules' names."""


def kind_module(images: RealImages) -> str:
    """Return the module of a data set's kind."""
    return next(module for module, settings in KINDS.items() if type(images) is settings)
