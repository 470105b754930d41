"""The registry of pickers, a line each: a module of this package that has `SETTINGS`, a subclass of `Picker`."""

from typing import Any

from workflow_scripts.common.parts import any_of, kinds_of, name_of
from workflow_scripts.selection.picker import Picker

MODULES = (
    "fixed",
    "oracle",
)
"""Module of every kind, in the order of the schema."""

KINDS = kinds_of(MODULES, module="selection.pickers.{}", base=Picker)  # type: ignore[type-abstract]
"""Settings class of every kind, by module."""

AnyPicker: Any = any_of(KINDS)


def picker_module(picker: Picker) -> str:
    """Return the module of a picker's kind."""
    return name_of(KINDS, picker)
