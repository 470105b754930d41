"""Parts that a registry names: modules that are imported by their names, and the one object that each offers.

What is imported here no digest follows: the rule names such modules itself (`planning.code.code_of`).
"""

import importlib
from types import ModuleType
from typing import TypeVar

from workflow_scripts.common.errors import InputError

PACKAGE = "workflow_scripts."

Part = TypeVar("Part")


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
