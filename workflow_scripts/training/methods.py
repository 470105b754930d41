"""The registry of methods: one line per kind. A new one is a package `training/KIND/` and its line here.

A kind's package has `settings` with the class `SETTINGS`, and runs as `python -m workflow_scripts.training.KIND`.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.plugs import kinds_of
from workflow_scripts.training.kind_checks import kind_errors
from workflow_scripts.training.method_settings import Method

PACKAGES = (
    "finetune",
    "ogen",
    "vl2v_sd",
    "vl2v_adip",
)
"""Package of every kind, in the order of the schema."""


def settings_of(packages: Sequence[str]) -> dict[str, type[Method]]:
    """Return the settings class of every kind, by package.

    Raises:
        InputError: a package misses something, or two have one kind.
    """
    kinds = kinds_of(packages, module="training.{}.settings", base=Method)
    if errors := [error for package, settings in kinds.items() for error in kind_errors(package, settings)]:
        raise InputError("\n".join(errors))
    return kinds


KINDS = settings_of(PACKAGES)
"""Settings class of every kind, by package."""

AnyMethod: Any = Annotated[reduce(or_, KINDS.values()), Field(discriminator="kind")]
"""Settings of a method of whatever kind; types cannot say which, since kinds are found by their packages' names."""


def package_of(method: Method) -> str:
    """Return the package of a method's kind."""
    return next(package for package, settings in KINDS.items() if type(method) is settings)
