"""What an icon's SVG must not hold: nothing is fetched, nothing is run, nothing grows without end."""

import re

MAX_CHARACTERS = 200_000
_FORBIDDEN = (
    (re.compile(r"<[!?]"), "declares entities or instructions"),
    (re.compile(r"<\s*(?:\w+:)?(?:script|foreignObject)\b", re.IGNORECASE), "holds a script or a foreign document"),
    (re.compile(r"<\s*(?:\w+:)?(?:image|feImage)\b", re.IGNORECASE), "holds another picture"),
    (re.compile(r"@import|\bhref\s*=\s*[\"']?\s*(?!\s*[\"']?\s*#)|\burl\(\s*[\"']?\s*(?!\s*[\"']?\s*#)"),
     "refers to something outside of itself"),
)  # fmt: skip


def svg_error(svg: str) -> str | None:
    """Return in words why an icon is not drawn, or None.

    The renderer fetches nothing and runs nothing by itself, but it would read a picture from this machine's disk.

    Args:
        svg: the whole document.
    """
    if len(svg) > MAX_CHARACTERS:
        return f"is {len(svg)} characters long (at most {MAX_CHARACTERS})"
    return next((words for pattern, words in _FORBIDDEN if pattern.search(svg)), None)
