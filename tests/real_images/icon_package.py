"""A small package of icon sets, made in code, in the very layout of npm's @iconify/json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow_scripts.real_images.icons.package import VERSION

FRAME = '<path fill="none" stroke="currentColor" stroke-width="2" d="{}"/>'
FILLED = '<path fill="currentColor" d="{}"/>'
SHADED = '<path fill="currentColor" opacity="0.4" d="{0}"/><path fill="none" stroke="#000" stroke-width="2" d="{0}"/>'
COLOURED = '<path fill="#e02020" d="{}"/>'

SHAPES = {
    "house": "M3 12 L12 3 L21 12 V21 H3 Z",
    "kite": "M12 2 L20 10 L12 22 L4 10 Z",
    "flag": "M4 2 H20 V12 H6 V22 H4 Z",
    "boat": "M2 14 H22 L18 21 H6 Z M11 3 L18 12 H11 Z",
}
"""Outlines of a few things on a page of 24 x 24."""


def wobbly(path: str, amount: float) -> str:
    """Return a path of another drawing of the same thing: each number moved by up to two units."""
    words, turn = [], 0
    for word in path.replace(",", " ").split():
        letter = word[0] if word[0].isalpha() else ""
        number = word[len(letter) :]
        if number:
            turn += 1
            number = f"{float(number) + amount * ((turn * 7) % 5 - 2) / 2:g}"
        words.append(letter + number)
    return " ".join(words)


def icon_set(
    *,
    author: str,
    icons: Mapping[str, str | dict[str, Any]],
    license: str | None = "MIT",  # noqa: A002
    category: str = "UI 24px",
    **further: Any,
) -> dict[str, Any]:
    """Return what a set's file holds, and what the package says of it under `info`."""
    info: dict[str, Any] = {"name": f"Set of {author}", "author": {"name": author}, "category": category}
    if license is not None:
        info["license"] = {"title": license, "spdx": license}
    entries = {key: {"body": icon} if isinstance(icon, str) else icon for key, icon in icons.items()}
    info["total"] = sum(not entry.get("hidden") for entry in entries.values())
    return {"info": info, "icons": entries, "width": 24, "height": 24, **further}


def write_package(folder: Path, sets: Mapping[str, Mapping[str, Any]], *, version: str = VERSION) -> Path:
    """Write a package of sets and return its folder."""
    (folder / "json").mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"name": "@iconify/json", "version": version}))
    (folder / "collections.json").write_text(json.dumps({prefix: content["info"] for prefix, content in sets.items()}))
    for prefix, content in sets.items():
        (folder / "json" / f"{prefix}.json").write_text(json.dumps({"prefix": prefix, **content}))
    return folder


def small_package(folder: Path) -> Path:
    """Write a package in which three authors train, and one tests, every shape in every style."""
    drawn = {"outline": FRAME, "fill": FILLED, "duotone": SHADED}
    sets = {}
    for number, author in enumerate(("Anna", "Ben", "Carla", "IBM")):
        icons = {
            f"{name}-{style}": body.format(wobbly(path, number * 0.9))
            for name, path in SHAPES.items()
            for style, body in drawn.items()
        }
        if author == "IBM":
            icons |= {f"{name}-colour": COLOURED.format(wobbly(path, 2.7)) for name, path in SHAPES.items()}
        suffixes = {style: style for style in (*drawn, "colour")}
        sets[f"s{number}"] = icon_set(author=author, icons=icons, suffixes=suffixes)
    return write_package(folder, sets)
