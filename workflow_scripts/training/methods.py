"""The registry of methods: one line per kind. A new one is a package `training/KIND/` and its line here.

A kind's package has `settings` with the class `SETTINGS`, and runs as `python -m workflow_scripts.training.KIND`.
"""

from collections.abc import Sequence
from typing import Any

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.parts import any_of, kinds_of, name_of
from workflow_scripts.training.kind_checks import kind_errors
from workflow_scripts.training.method_settings import Method

PACKAGES = (
    "finetune",
    "ogen",
    "vl2v_sd",
    "vl2v_adip",
    "erm",
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

AnyMethod: Any = any_of(KINDS)


def package_of(method: Method) -> str:
    """Return the package of a method's kind."""
    return name_of(KINDS, method)
