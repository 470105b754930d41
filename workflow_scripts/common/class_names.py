"""Checks of class names: what would silently confuse a classifier is refused by name."""

import json
import logging
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.texts import hidden_characters

logger = logging.getLogger(__name__)

MIN_CLASSES = 2
MAX_NAME_LENGTH = 200
"""Characters; CLIP reads 77 tokens at most, so a longer name would be cut off unseen."""


def validated_class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names with underscores read as blanks (noted in the log), in the same order.

    Raises:
        InputError: fewer than two names; or a name is empty, too long, has blanks at an end or characters that
            do not show, occurs twice, or differs from another one in case only. All errors are listed.
    """
    errors = [error for number, name in enumerate(names) if (error := _error(name, number)) is not None]
    normalized = tuple(normalized_class_name(name) for name in names)
    errors += _collisions(normalized)
    if len(names) < MIN_CLASSES:
        errors.append(f"{len(names)} class is too few: a classifier needs at least {MIN_CLASSES}")
    if errors:
        raise InputError("class names: " + "; ".join(errors))
    changed = [name for name in names if "_" in name]
    if changed:
        logger.info("underscores are read as blanks in %d class names, as in %r", len(changed), changed[0])
    return normalized


def normalized_class_name(name: str) -> str:
    """Return a class name with underscores read as blanks."""
    return name.replace("_", " ")


def _error(name: str, number: int) -> str | None:
    if not name.strip():
        return f"number {number + 1} is empty"
    if name != name.strip():
        return f"{name!r} has blanks at an end"
    if len(name) > MAX_NAME_LENGTH:
        return f"{name[:40]!r}... has {len(name)} characters, at most {MAX_NAME_LENGTH} are allowed"
    if hidden := hidden_characters(name):
        return f"{name!r} holds control characters ({', '.join(hidden)})"
    return None


def _collisions(names: Sequence[str]) -> list[str]:
    first: dict[str, str] = {}
    errors = []
    for name in names:
        key = unicodedata.normalize("NFC", name).casefold()
        if key not in first:
            first[key] = name
        elif first[key] == name:
            errors.append(f"{name!r} occurs twice")
        else:
            errors.append(f"{name!r} differs from {first[key]!r} only in case or encoding")
    return errors


def read_class_names(path: Path) -> tuple[str, ...]:
    """Read class names from a JSON list, or from a text file with one name per line, and check them.

    Raises:
        InputError: the file is missing, is not UTF-8, is not a list of texts, or a name is refused.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        # Not splitlines(): it would cut a name at separators that are refused by name instead.
        names = json.loads(text) if path.suffix == ".json" else text.removesuffix("\n").split("\n")
    except FileNotFoundError:
        raise InputError(f"{path}: missing; it should hold the class names, one per line") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a readable list of class names ({error})") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{path}: a JSON file of class names holds one list of texts")
    try:
        return validated_class_names(names)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
