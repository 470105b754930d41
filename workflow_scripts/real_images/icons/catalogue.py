"""From the package to pictures: drawn, sorted by author into training and test, without twins and homonyms."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import digest_of
from workflow_scripts.real_images.icons.package import (
    Icon,
    icon_name,
    icon_sets,
    icons_of,
    package_folder,
    sets_without_licence,
)
from workflow_scripts.real_images.icons.rendering import render
from workflow_scripts.real_images.icons.styles import Pixels, ink_of, styles_of
from workflow_scripts.real_images.icons.twins import Crops, crops_of, first_of_twins, twin_pairs
from workflow_scripts.real_images.prepared import OTHER

logger = logging.getLogger(__name__)

_BLANK = 0.01
"""Share of ink below which a drawing shows nothing: an animation that begins with an empty page."""
_COMMON = 10
"""Icons of a name that is proposed in place of one that none bears."""
_NAMED = 20
"""Icons that a warning names one by one."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Drawings:
    """Icons and how they look: pixels (icons, size, size, 3) on white, their styles, and the crops that tell twins."""

    icons: tuple[Icon, ...]
    pixels: Pixels
    styles: npt.NDArray[np.str_]
    crops: Crops

    def those(self, kept: Flags) -> "Drawings":
        """Return the icons that a flag each keeps."""
        return self.in_order(np.flatnonzero(kept))

    def in_order(self, numbers: npt.NDArray[np.int64]) -> "Drawings":
        """Return the icons of these numbers, in their order."""
        icons = tuple(self.icons[number] for number in numbers)
        return Drawings(icons, self.pixels[numbers], self.styles[numbers], self.crops[numbers])


def read_icons(
    folder: Path | None, names: Collection[str], *, test_authors: Collection[str], other_names: bool
) -> list[Icon]:
    """Return the icons of all sets that may be used, in the order of sets and names.

    Args:
        folder: where the package lies; None: where `make data` puts it.
        names: those that are wanted, as icon keys spell them.
        test_authors: authors whose icons are wanted under these names only.
        other_names: whether the other authors' icons of every other name are wanted, too.

    Raises:
        InputError: the package is missing, of another version, damaged or cut short; or no icon bears a name that is
            wanted: the nearest ones are named.
    """
    package = package_folder(folder)
    for prefix in sets_without_licence(package):
        logger.warning("icon set %r names no licence: its icons are left out", prefix)
    icons = [icon for origin in icon_sets(package).values() for icon in icons_of(package, origin)]
    _verify_known(names, Counter(icon.name for icon in icons))
    return [icon for icon in icons if icon.name in names or (other_names and icon.origin.author not in test_authors)]


def _verify_known(names: Collection[str], counts: Counter[str]) -> None:
    common = [name for name, count in counts.items() if count >= _COMMON]
    unknown = []
    for name in sorted(set(names) - set(counts)):
        nearest = ", ".join(get_close_matches(name, common))
        unknown.append(f"{name!r} ({f'near it: {nearest}' if nearest else 'no other name is near'})")
    if unknown:
        more = ", ..." if len(unknown) > 10 else ""
        raise InputError(f"no icon is called {', '.join(unknown[:10])}{more}; choose other classes")


def draw(icons: Sequence[Icon], *, size: int, processes: int) -> Drawings:
    """Draw icons on white; what cannot be drawn, or shows nothing, is named in the log and left out.

    Args:
        icons: the icons.
        size: height and width in pixels.
        processes: how many processes draw.
    """
    answers = render([icon.svg for icon in icons], size=size, processes=processes)
    failed = [(icon, answer) for icon, answer in zip(icons, answers, strict=True) if isinstance(answer, str)]
    for icon, reason in failed[:_NAMED]:
        logger.warning("icon %s %s: it is left out", icon.image_id, reason)
    if len(failed) > _NAMED:
        logger.warning("%d more icons cannot be drawn: they are left out", len(failed) - _NAMED)
    good = [(icon, answer) for icon, answer in zip(icons, answers, strict=True) if not isinstance(answer, str)]
    pixels = np.stack([answer for _, answer in good]) if good else np.empty((0, size, size, 3), np.uint8)
    drawings = Drawings(tuple(icon for icon, _ in good), pixels, np.array(styles_of(pixels)), crops_of(pixels))
    visible = ink_of(pixels).mean(axis=(1, 2)) > _BLANK
    logger.info("%d of %d icons drawn; %d of them show nothing", len(good), len(icons), int((~visible).sum()))
    return drawings.those(visible)


@dataclass(frozen=True)
class Catalogue:
    """Pictures in the order in which they are numbered: training before test, each class by itself.

    `label` is the number of the class that bears a picture's name, or `OTHER`.
    """

    drawings: Drawings
    is_test: Flags
    label: npt.NDArray[np.int64]
    seen: tuple[str, ...]
    """Test pictures that were left out since a training picture of another name or style is their twin."""


def catalogue(
    drawings: Drawings, classes: Sequence[str], *, test_authors: Collection[str], left_out: Collection[str]
) -> Catalogue:
    """Sort drawings into training and test pictures: every author's stand on one side alone.

    Left out are, in this order: twins within a name and style, but for the first; test pictures with a twin among the
    training pictures, whatever its name and style; pictures whose twin is called like another class; what `left_out`
    names.

    Args:
        drawings: of all names that are wanted.
        classes: names of the classes, in label order.
        test_authors: authors whose drawings no training may see.
        left_out: further pictures, as in `mdi:umbrella`.
    """
    is_test = np.array([icon.origin.author in test_authors for icon in drawings.icons], dtype=bool)
    order = np.argsort(is_test, kind="stable")
    # Of twins on both sides the training picture is the first.
    drawings, is_test = drawings.in_order(order), is_test[order]
    named = [f"{icon.name}|{style}" for icon, style in zip(drawings.icons, drawings.styles, strict=True)]
    kept = first_of_twins(drawings.crops, named)
    logger.info("%d icons are twins of another one of their name and style", int((~kept).sum()))
    drawings, is_test = drawings.those(kept), is_test[kept]
    seen = _seen(drawings, is_test)
    seen_ids = sorted(icon.image_id for icon in drawings.those(seen).icons)
    logger.info("%d test pictures are twins of a training picture of another name or style", int(seen.sum()))
    drawings, is_test = drawings.those(~seen), is_test[~seen]
    label = _labels(drawings, classes)
    out = _homonyms(drawings, label) | np.array([icon.image_id in left_out for icon in drawings.icons], dtype=bool)
    logger.info("%d pictures look like a picture of another class, or are left out by name", int(out.sum()))
    drawings, is_test, label = drawings.those(~out), is_test[~out], label[~out]
    # By digest, so that the last pictures of a class, which trainings hold out, are no single author's.
    rank = np.argsort(np.argsort([digest_of(icon.image_id) for icon in drawings.icons]))
    order = np.lexsort((rank, label, is_test))
    return Catalogue(drawings.in_order(order), is_test[order], label[order], tuple(seen_ids))


def _labels(drawings: Drawings, classes: Sequence[str]) -> npt.NDArray[np.int64]:
    number = {icon_name(name): label for label, name in enumerate(classes)}
    return np.array([number.get(icon.name, OTHER) for icon in drawings.icons], dtype=np.int64)


def _seen(drawings: Drawings, is_test: Flags) -> Flags:
    tested, trained = np.flatnonzero(is_test), np.flatnonzero(~is_test)
    rows, _ = twin_pairs(drawings.crops[tested], drawings.crops[trained])
    seen = np.zeros(len(is_test), dtype=bool)
    seen[tested[rows]] = True
    return seen


def _homonyms(drawings: Drawings, label: npt.NDArray[np.int64]) -> Flags:
    members = np.flatnonzero(label != OTHER)
    rows, columns = twin_pairs(drawings.crops[members], drawings.crops[members])
    rows, columns = members[rows], members[columns]
    found = np.zeros(len(label), dtype=bool)
    found[rows[label[rows] != label[columns]]] = True
    return found


def verify_counts(found: Catalogue, classes: Sequence[str], *, at_least: int) -> None:
    """Check that every class has enough training and test pictures, over all styles.

    Raises:
        InputError: some have not; they are named with what there is.
    """
    counts = {
        side: Counter(found.label[found.is_test == tested].tolist())
        for side, tested in (("training", False), ("test", True))
    }
    poor = [
        f"{name!r} ({counts['training'][label]} training, {counts['test'][label]} test)"
        for label, name in enumerate(classes)
        if min(counts[side][label] for side in counts) < at_least
    ]
    if poor:
        raise InputError(
            f"classes with fewer than {at_least} training or test icons: {', '.join(poor[:10])}"
            f"{', ...' if len(poor) > 10 else ''}; choose other names, or lower images.at_least"
        )
