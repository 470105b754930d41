"""npm's package @iconify/json: where it lies, which of its sets may be used, and the icons in them."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflow_scripts.common.errors import InputError

NAME: Final = "@iconify/json"
VERSION: Final = "2.2.535"
PERMISSIVE = ("MIT", "Apache-2.0", "ISC", "BSD-3-Clause", "OFL-1.1", "Unlicense", "CC0-1.0")
"""Licences (SPDX) whose drawings may be used, changed and passed on by whoever names their author."""
LEFT_OUT = ("Logos", "Flags / Maps", "Programming")
"""Categories whose names say nothing of what is drawn, or are trade marks."""

_WAY_OUT = (
    "run `make data`, name a folder with the package in datasets.<name>.images.folder, or take the preset "
    "presets/fashion-mnist.yaml"
)
_PLACES = (".", "package", "node_modules/@iconify/json", "@iconify/json")
"""Where the package may lie below a folder that is named: unpacked from npm's archive, or installed by npm."""


@dataclass(frozen=True)
class IconSet:
    """What the package says of a set: its title, who drew it, and under which licence (SPDX)."""

    prefix: str
    title: str
    author: str
    license: str


@dataclass(frozen=True)
class Icon:
    """An icon: its set, its key in there, what it is called (in words), the style that its key names, and its SVG."""

    origin: IconSet
    key: str
    name: str
    style_words: str
    svg: str

    @property
    def image_id(self) -> str:
        """Return the icon's name in all of Iconify, as in `mdi:umbrella`."""
        return f"{self.origin.prefix}:{self.key}"


def default_folder() -> Path:
    """Return where `make data` puts the package: the user's cache, so that several checkouts share it."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "nameonly" / f"iconify-json-{VERSION}"


def package_folder(folder: Path | None) -> Path:
    """Return the folder that holds the package's `collections.json`.

    Args:
        folder: the one that the configuration names; None: where `make data` puts it.

    Raises:
        InputError: the package is not there, is of another version, or lacks a set that may be used.
    """
    named = default_folder() if folder is None else folder
    for place in _PLACES:
        if (named / place / "collections.json").is_file():
            found = named / place
            break
    else:
        raise InputError(f"{named}: does not hold npm's {NAME} {VERSION}; {_WAY_OUT}")
    version = _read_json(found / "package.json").get("version")
    if version != VERSION:
        raise InputError(f"{found}: holds version {version} of npm's {NAME}, not {VERSION}; {_WAY_OUT}")
    for prefix in icon_sets(found):
        if not (found / "json" / f"{prefix}.json").is_file():
            raise InputError(f"{found}: json/{prefix}.json is missing, so this is no whole {NAME}; {_WAY_OUT}")
    return found


def icon_sets(package: Path) -> dict[str, IconSet]:
    """Return the sets that may be used, by prefix: visible, permissive, and of a category whose names are nouns.

    Raises:
        InputError: `collections.json` cannot be read.
    """
    entries = _read_json(package / "collections.json")
    return {prefix: _icon_set(prefix, entry) for prefix, entry in sorted(entries.items()) if _is_usable(entry)}


def sets_without_licence(package: Path) -> list[str]:
    """Return the prefixes of sets that name no licence: they are left out."""
    entries = _read_json(package / "collections.json")
    return [prefix for prefix, entry in sorted(entries.items()) if not _license(entry)]


def _license(entry: Mapping[str, Any]) -> str:
    return str((entry.get("license") or {}).get("spdx") or "")


def _is_usable(entry: Mapping[str, Any]) -> bool:
    return _license(entry) in PERMISSIVE and not entry.get("hidden") and entry.get("category") not in LEFT_OUT


def _icon_set(prefix: str, entry: Mapping[str, Any]) -> IconSet:
    author = (entry.get("author") or {}).get("name") or prefix
    return IconSet(prefix, str(entry.get("name") or prefix), str(author), _license(entry))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: missing, so this is no whole {NAME}; {_WAY_OUT}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: damaged or cut short ({error}); {_WAY_OUT}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a JSON object; {_WAY_OUT}")
    return content


def icons_of(package: Path, origin: IconSet) -> Iterator[Icon]:
    """Yield the icons of a set: one per name and style, the plainest of them; hidden ones and aliases are no icons.

    Raises:
        InputError: the set's file is damaged, or holds fewer icons than the package says.
    """
    path = package / "json" / f"{origin.prefix}.json"
    content = _read_json(path)
    entries = content.get("icons")
    if not isinstance(entries, dict):
        raise InputError(f"{path}: holds no icons; {_WAY_OUT}")
    if broken := [key for key, entry in entries.items() if not isinstance(entry, dict)]:
        raise InputError(f"{path}: {broken[0]!r} is no icon; {_WAY_OUT}")
    visible = {key: entry for key, entry in entries.items() if not entry.get("hidden")}
    total = (content.get("info") or {}).get("total")
    if total is not None and len(visible) + len(content.get("aliases") or {}) < total:
        raise InputError(f"{path}: holds {len(visible)} icons of {total}; {_WAY_OUT}")
    words = _StyleWords(list(visible), content)
    chosen: dict[tuple[str, str], str] = {}
    for key in sorted(visible, key=_plainness):
        chosen.setdefault(words.split(key), key)
    for (name, style), key in sorted(chosen.items()):
        entry = visible[key]
        yield Icon(origin, key, name, style, svg_of(entry, content))


def icon_name(class_name: str) -> str:
    """Return how icon keys spell a class: in lower case, words apart."""
    return " ".join(class_name.lower().replace("-", " ").replace("_", " ").split())


def svg_of(entry: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """Return the document of an icon, its view widened to a square, so that nothing is stretched.

    Args:
        entry: the icon: its body, and what of the size it has of its own.
        whole: the set, whose size holds for the others.
    """
    left, top = (float(entry.get(side, whole.get(side, 0))) for side in ("left", "top"))
    width, height = (float(entry.get(side, whole.get(side, 16))) for side in ("width", "height"))
    size = max(width, height)
    view = f"{left - (size - width) / 2:g} {top - (size - height) / 2:g} {size:g} {size:g}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view}">{entry.get("body", "")}</svg>'
    )


_STYLE_WORDS = frozenset(
    re.findall(
        r"\w+",
        "outline outlined line lined linear thin light regular bold broken fill filled solid negative baseline sharp "
        "rounded round duotone duo twotone two tone bx bxs bxl",
    )
)
_SIZE = re.compile(r"\d{1,3}(px)?")
_COMMON = 0.02
"""Share of a set's keys that must bear a word for it to be a style there: `pipe-line` is no line drawing of a pipe."""
_PLAIN_SIZE, _SMALLEST = 24, 10
"""Pixels; a smaller number counts drawings of one thing."""


def _plainness(key: str) -> tuple[int, int, str]:
    # Of a drawing in several sizes the one at 24 pixels, then the one with the shortest name, then the first.
    numbers = [int(word.removesuffix("px")) for word in key.split("-") if _SIZE.fullmatch(word)]
    sizes = [number for number in numbers if number >= _SMALLEST]
    return abs((sizes[-1] if sizes else _PLAIN_SIZE) - _PLAIN_SIZE), len(key), key


class _StyleWords:
    """Which words at the ends of a set's keys name a style, as the set declares or as its keys show."""

    def __init__(self, keys: list[str], content: Mapping[str, Any]) -> None:
        declared = {word for part in (content.get("suffixes") or {}) for word in part.split("-")}
        last = Counter(key.rpartition("-")[2] for key in keys)
        common = {word for word, count in last.items() if count >= _COMMON * len(keys)}
        self.last = _STYLE_WORDS & (declared | common)
        if self.last & {"tone"}:
            self.last |= {"two"}
        declared_first = {word for part in (content.get("prefixes") or {}) for word in part.split("-")}
        first = Counter(key.partition("-")[0] for key in keys)
        common_first = {word for word, count in first.items() if count >= _COMMON * len(keys)}
        self.first = _STYLE_WORDS & (declared_first | common_first)

    def split(self, key: str) -> tuple[str, str]:
        """Return a key's name, in words, and its style words; numbers are neither."""
        words = key.split("-")
        styles: list[str] = []
        while len(words) > 1 and (words[-1] in self.last or _SIZE.fullmatch(words[-1]) or words[-1] == "alt"):
            word = words.pop()
            styles += [word] if word in self.last else []
        while len(words) > 1 and words[0] in self.first:
            styles.append(words.pop(0))
        return " ".join(words), " ".join(sorted(styles))
