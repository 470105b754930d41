"""What a YAML file can hold and a configuration cannot: found before validation, so that it has a name."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from workflow_scripts.common.texts import dotted

MAX_DEPTH = 20
"""Levels of blocks within blocks; the deepest key of all has seven."""
MAX_VALUES = 1_000_000
"""Values in all; a few lines of YAML that repeat each other can stand for billions."""

_MAX_INTEGER = 2**63


def plain_value_errors(config: Any) -> list[str]:
    """Return a line for each value that is nested too deep, no JSON, or beyond 64 bits, with its key."""
    if not isinstance(config, Mapping):
        return [f"configuration: a map of blocks is needed, not {type(config).__name__}"]
    errors: list[str] = []
    left: list[tuple[Any, tuple[Any, ...]]] = [(config, ())]
    for _ in range(MAX_VALUES):
        if not left:
            return errors
        value, place = left.pop()
        if isinstance(value, Mapping | list | tuple):
            if len(place) == MAX_DEPTH:
                return [f"{dotted(place)}: nested more than {MAX_DEPTH} levels deep"]
            errors += [f"{dotted((*place, _shown(name)))}: {error}" for name, error in _key_errors(value)]
            left += [(item, (*place, _shown(name))) for name, item in _items(value)]
        elif (error := _value_error(value)) is not None:
            errors.append(f"{dotted(place)}: {error}")
    return [f"configuration: more than {MAX_VALUES} values"]


def _shown(name: Any) -> str:
    # The digits of a very long number cannot be written at all.
    printable = isinstance(name, str) or (isinstance(name, int) and abs(name) < _MAX_INTEGER)
    return str(name) if printable else type(name).__name__


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    return iter(value.items() if isinstance(value, Mapping) else enumerate(value))


def _key_errors(value: Any) -> Iterator[tuple[Any, str]]:
    # YAML reads the keys no, 1.0 and ~ as False, a number and None: as texts they would be other names.
    names = value if isinstance(value, Mapping) else ()
    for name in names:
        if isinstance(name, bool) or not isinstance(name, str | int):
            yield name, f"this key is read as {type(name).__name__}; put it in quotes"
        elif (error := _value_error(name)) is not None:
            yield name, error


def _value_error(value: Any) -> str | None:
    if isinstance(value, str):
        broken = any("\ud800" <= ch <= "\udfff" for ch in value)
        return "holds half a character (a surrogate)" if broken else None
    if isinstance(value, int):
        return None if abs(value) < _MAX_INTEGER else "this number is too large"
    if value is None or isinstance(value, float | date):
        return None
    return f"{type(value).__name__} is no value of a configuration"
