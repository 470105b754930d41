"""A small package of icon sets, made in code, in the very layout of npm's @iconify/json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow_scripts.real_images.icons.package import VERSION

FRAME = '<polygon fill="none" stroke="currentColor" stroke-width="1.4" points="{}"/>'
FILLED = '<polygon fill="currentColor" points="{}"/>'
SHADED = '<polygon fill="#000" fill-opacity="0.4" stroke="#000" stroke-width="1.4" points="{}"/>'
COLOURED = '<polygon fill="#e02020" points="{}"/>'

SHAPES = {
    "house": "4,12 12,3 20,12 20,21 4,21",
    "kite": "2,3 22,3 12,21",
    "flag": "3,4 21,4 21,20 3,20",
    "boat": "2,6 22,6 17,19 7,19",
}
"""Corners of a few things on a page of 24 x 24."""


def squeezed(points: str, factor: float) -> str:
    """Return the corners of another drawing of the same thing: its height times a factor."""
    pairs = (pair.split(",") for pair in points.split())
    return " ".join(f"{x},{12 + (float(y) - 12) * factor:g}" for x, y in pairs)


def icon_set(
    *,
    author: str,
    icons: Mapping[str, str | dict[str, Any]],
    license: str | None = "MIT",
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
            f"{name}-{style}": body.format(squeezed(points, 1 - 0.15 * number))
            for name, points in SHAPES.items()
            for style, body in drawn.items()
        }
        if author == "IBM":
            icons |= {f"{name}-2": COLOURED.format(squeezed(points, 0.5)) for name, points in SHAPES.items()}
        suffixes = {style: style for style in drawn}
        sets[f"s{number}"] = icon_set(author=author, icons=icons, suffixes=suffixes)
    return write_package(folder, sets)
