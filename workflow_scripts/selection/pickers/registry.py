"""The registry of pickers, a line each: a module of this package that has `SETTINGS`, a subclass of `Picker`."""

from typing import Any

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import canonical_json
from workflow_scripts.common.parts import any_of, kinds_of, name_of
from workflow_scripts.selection.picker import Picker
from workflow_scripts.selection.settings import NamedPicker

MODULES = (
    "fixed",
    "oracle",
)
"""Module of every kind, in the order of the schema."""

KINDS = kinds_of(MODULES, module="selection.pickers.{}", base=Picker)  # type: ignore[type-abstract]
"""Settings class of every kind, by module."""

AnyPicker: Any = any_of(KINDS)


def named_picker(name: str, picker: Picker) -> NamedPicker:
    """Return a picker of the configuration with its module and what it says of itself.

    Raises:
        InputError: what it says is not as it must be.
    """
    content = {
        "name": name,
        "module": name_of(KINDS, picker),
        "settings": picker.model_dump(mode="json"),
        "title": picker.title(),
        "explanation": picker.explanation(),
        "looks_at": picker.looks_at,
        "criterion": picker.criterion,
    }
    named = NamedPicker.parse(canonical_json(content))
    if named.looks_at and named.criterion is None:
        raise InputError("criterion: missing; it looks at images, and must say what it compares")
    return named
