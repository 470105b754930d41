"""The registry of methods: one line per kind. A new one is a package `training/KIND/` and its line here.

A kind's package has `settings` with the class `SETTINGS`, and runs as `python -m workflow_scripts.training.KIND`.
"""

import importlib
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field

from workflow_scripts.training.method_settings import Method

PACKAGES = (
    "finetune",
    "ogen",
    "vl2v_sd",
    "vl2v_adip",
)
"""Package of every kind, in the order of the schema."""


def _settings_of(package: str) -> type[Method]:
    settings: type[Method] = importlib.import_module(f"workflow_scripts.training.{package}.settings").SETTINGS
    return settings


KINDS: dict[str, type[Method]] = {package: _settings_of(package) for package in PACKAGES}
"""Settings class of every kind, by package."""

AnyMethod: Any = Annotated[reduce(or_, KINDS.values()), Field(discriminator="kind")]
"""Settings of a method of whatever kind; types cannot say which, since kinds are found by their packages' names."""


def package_of(method: Method) -> str:
    """Return the package of a method's kind."""
    return next(package for package, settings in KINDS.items() if type(method) is settings)
