"""Parts that a registry names: modules that are imported by their names, and the one object that each offers.

What is imported here no digest follows: the rule names such modules itself (`planning.code.code_of`).
"""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import TypeVar, get_args

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Settings

PACKAGE = "workflow_scripts."

Part = TypeVar("Part")
Kind = TypeVar("Kind", bound=Settings)


def module_of(name: str) -> ModuleType:
    """Import a module.

    Args:
        name: below our package, as in `report.figures.alphas`.

    Raises:
        InputError: there is no such module.
    """
    try:
        return importlib.import_module(PACKAGE + name)
    except ModuleNotFoundError as error:
        # What such a module imports may be missing too, which is another matter.
        if error.name is None or not f"{PACKAGE}{name}.".startswith(f"{error.name}."):
            raise
        raise InputError(f"{name}: there is no such module below {PACKAGE.rstrip('.')}") from None


def part_of(name: str, attribute: str, *, kind: type[Part]) -> Part:
    """Return what a module offers.

    Args:
        name: the module, below our package.
        attribute: what it calls it.
        kind: class that it must be of.

    Raises:
        InputError: there is no such module, or nothing of that class under that name in it.
    """
    part = getattr(module_of(name), attribute, None)
    if not isinstance(part, kind):
        raise InputError(f"{name}: {attribute} must be a {kind.__name__}")
    return part


def kinds_of(names: Sequence[str], *, module: str, base: type[Kind]) -> dict[str, type[Kind]]:
    """Return the settings class of each kind that a registry names.

    Args:
        names: what the registry calls them.
        module: below our package, with `{}` for the name; what it calls `SETTINGS` has a `kind`, which configurations
            call it.
        base: class that theirs are subclasses of.

    Raises:
        InputError: a module is missing or occurs twice, its settings are no such class, or two have one kind.
    """
    kinds: dict[str, type[Kind]] = {}
    owners: dict[str, str] = {}
    for name in names:
        where = module.format(name)
        settings = part_of(where, "SETTINGS", kind=type)
        if not issubclass(settings, base):
            raise InputError(f"{where}: SETTINGS must be a subclass of {base.__name__}")
        field = settings.model_fields.get("kind")
        literals = get_args(field.annotation) if field is not None else ()
        if len(literals) != 1:
            raise InputError(f"{where}: {settings.__name__}.kind must be a Literal of one name")
        if literals[0] in owners:
            raise InputError(f"{where}: its kind {literals[0]!r} is that of {owners[literals[0]]}; name another")
        owners[literals[0]] = where
        kinds[name] = settings
    return kinds
