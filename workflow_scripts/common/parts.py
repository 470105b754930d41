"""Parts that a registry names: modules that are imported by their names, and the one object that each offers.

What is imported here no digest follows: the rule names such modules itself (`planning.parts`).
"""

import importlib
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from types import ModuleType
from typing import Annotated, Any, TypeVar, get_args

from pydantic import Field

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


def part_of(name: str, attribute: str, *, of: type[Part]) -> Part:
    """Return what a module offers.

    Args:
        name: the module, below our package.
        attribute: what it calls it.
        of: class that it must be an instance of.

    Raises:
        InputError: there is no such module, or nothing of that class under that name in it.
    """
    part = getattr(module_of(name), attribute, None)
    if not isinstance(part, of):
        raise InputError(f"{name}: {attribute} must be of the class {of.__name__}")
    return part


def kinds_of(names: Sequence[str], *, module: str, base: type[Kind]) -> dict[str, type[Kind]]:
    """Return the settings class of each kind that a registry names.

    Args:
        names: what the registry calls them.
        module: below our package, with `{}` for the name; what it calls `SETTINGS` has a `kind`, which configurations
            call it.
        base: class that theirs are subclasses of.

    Raises:
        InputError: a module is missing or occurs twice, its settings are no such class or not whole, or two have one
            kind.
    """
    kinds: dict[str, type[Kind]] = {}
    owners: dict[str, str] = {}
    for name in names:
        where = module.format(name)
        settings = getattr(module_of(where), "SETTINGS", None)
        if not (isinstance(settings, type) and issubclass(settings, base)):
            raise InputError(f"{where}: SETTINGS must be a subclass of {base.__name__}")
        if lacking := sorted(getattr(settings, "__abstractmethods__", ())):
            raise InputError(f"{where}: {settings.__name__} must have {', '.join(lacking)}")
        field = settings.model_fields.get("kind")
        literals = get_args(field.annotation) if field is not None else ()
        if len(literals) != 1:
            raise InputError(f"{where}: {settings.__name__}.kind must be a Literal of one name")
        if where in owners.values():
            raise InputError(f"{where}: stands twice in its registry")
        if literals[0] in owners:
            raise InputError(f"{where}: its kind {literals[0]!r} is that of {owners[literals[0]]}; name another")
        owners[literals[0]] = where
        kinds[name] = settings
    return kinds


def any_of(kinds: Mapping[str, type[Kind]]) -> Any:
    """Return the type of settings of whatever kind; no static type can say it, since kinds are found by their names."""
    return Annotated[reduce(or_, kinds.values()), Field(discriminator="kind")]


def name_of(kinds: Mapping[str, type[Kind]], settings: Kind) -> str:
    """Return what a registry calls the kind of some settings."""
    return next(name for name, kind in kinds.items() if type(settings) is kind)
