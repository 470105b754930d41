"""Texts from outside: which characters none may hold, and how an error shows one on a single line."""

import unicodedata
from collections.abc import Iterable

MAX_TEXT_LENGTH = 1_000
"""Characters of a template, a sentence, a title or a path; CLIP reads 77 tokens at most."""

_JOINERS = "\u200c\u200d"
"""The two format characters that are spelling: Persian words and many emoji need them."""
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_SHOWN = 80
"""Characters of a refused key or value that an error repeats."""


def hidden_characters(text: str) -> list[str]:
    """Return the characters that do not show or that break or turn a line, as U+XXXX, sorted.

    These are controls, line separators, halves of characters, direction marks and other format characters. Letters
    that are written from right to left are letters like any other.
    """
    hidden = {ch for ch in text if ch not in _JOINERS and unicodedata.category(ch) in _HIDDEN}
    return [f"U+{ord(ch):04X}" for ch in sorted(hidden)]


def one_line(text: str) -> str:
    """Return a text with everything that does not print written as an escape, so that no name can forge a line."""
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode("ascii") for ch in text)


def shortened(text: str) -> str:
    """Return a text as an error repeats it: its beginning, if it is long."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def dotted(parts: Iterable[object]) -> str:
    """Return a key of a nested configuration as errors name it: `datasets.digits.classes`."""
    return ".".join(shortened(str(part)) or "''" for part in parts)
