"""The registry of methods: one line per kind. A new one is a package `training/KIND/` and its line here.

A kind's package has `settings` with the class `SETTINGS`, and runs as `python -m workflow_scripts.training.KIND`.
"""

import importlib
from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from operator import or_
from typing import Annotated, Any

from pydantic import Field

from workflow_scripts.common.errors import InputError
from workflow_scripts.training.kind_checks import kind_errors
from workflow_scripts.training.method_settings import Method

PACKAGES = (
    "finetune",
    "ogen",
    "vl2v_sd",
    "vl2v_adip",
)
"""Package of every kind, in the order of the schema."""


def _settings_of(package: str) -> Any:
    module = f"workflow_scripts.training.{package}.settings"
    try:
        return getattr(importlib.import_module(module), "SETTINGS", None)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise InputError(f"training/{package}: no package with settings.py; PACKAGES names it") from None


def settings_of(packages: Sequence[str]) -> dict[str, type[Method]]:
    """Return the settings class of every kind, by package.

    Raises:
        InputError: a package misses something, or two have one kind; a line each.
    """
    kinds: dict[str, Any] = {package: _settings_of(package) for package in packages}
    errors = [error for package, settings in kinds.items() for error in kind_errors(package, settings)]
    if len(kinds) < len(packages):
        errors.append("training/methods.py: a package occurs twice in PACKAGES")
    if not errors:
        named = [(settings.model_fields["kind"].annotation, package) for package, settings in kinds.items()]
        for (kind, package), (other_kind, other) in combinations(named, 2):
            if kind == other_kind:
                errors.append(f"training/{other}/settings.py: its kind is that of training/{package}; name another")
    if errors:
        raise InputError("\n".join(errors))
    return kinds


KINDS = settings_of(PACKAGES)
"""Settings class of every kind, by package."""

AnyMethod: Any = Annotated[reduce(or_, KINDS.values()), Field(discriminator="kind")]
"""Settings of a method of whatever kind; types cannot say which, since kinds are found by their packages' names."""


def package_of(method: Method) -> str:
    """Return the package of a method's kind."""
    return next(package for package, settings in KINDS.items() if type(method) is settings)
