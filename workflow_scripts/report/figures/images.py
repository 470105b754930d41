"""The grid of generated images beside real ones."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.common.images import decode_rgb
from workflow_scripts.common.shards import ImageSet, load_image_set
from workflow_scripts.report.figure import FigureInputs, FigureTexts, ReportFigure
from workflow_scripts.report.labels import source_title
from workflow_scripts.report.style import DPI, GRAY

Tile = npt.NDArray[np.uint8]

TILE_SIDES = (128, 96, 64)
"""Sides of a picture in the figure, in pixels; the largest that keeps the figure within `MAX_WIDTH` is taken."""
MAX_WIDTH = 1800
MAX_CLASSES = 12
"""Classes that are shown, from the first one on."""
GAP = 2
"""White line between two pictures."""
PANEL_GAP, PAIR_GAP, MARGIN, HEADER = 10, 34, 16, 76
LABEL_POINTS = 8.5
LABEL_CHARACTERS, LABEL_LINES = 20, 2


@dataclass(frozen=True)
class Panel:
    """The pictures of one domain of one source: per class a few tiles, in the order of the classes."""

    domain: str
    kind: str
    rows: tuple[tuple[Tile, ...], ...]


def tile_side(columns: int) -> int:
    """Return the side of a picture, in pixels, when this many stand side by side."""
    return next((side for side in TILE_SIDES if columns * side <= MAX_WIDTH), TILE_SIDES[-1])


def tile(picture: Image.Image, *, side: int) -> Tile:
    """Return a picture in the middle of a white square of shape (side, side, 3).

    A small picture is enlarged by a whole number, so that each of its pixels stays an equal, sharp square; a large
    one is shrunk smoothly.
    """
    factor = side // max(picture.size)
    if factor:
        size = (picture.width * factor, picture.height * factor)
        scaled = picture.resize(size, Image.Resampling.NEAREST)
    else:
        ratio = side / max(picture.size)
        size = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
        scaled = picture.resize(size, Image.Resampling.LANCZOS)
    square = Image.new("RGB", (side, side), "white")
    square.paste(scaled, ((side - scaled.width) // 2, (side - scaled.height) // 2))
    return np.asarray(square)


def read_panel(images: ImageSet, *, classes: Sequence[str], per_class: int, side: int) -> Panel:
    """Return the first usable pictures of each class of an image set: those that no training and no score leaves out.

    Raises:
        InputError: a shard or a picture is damaged.
    """
    tiles_of: dict[str, list[Tile]] = {name: [] for name in classes if name in images.classes}
    lacking = len(tiles_of)
    for row in images.rows(("image", "label", "index")):
        if not lacking:
            break
        tiles = tiles_of.get(images.classes[row["label"]])
        if tiles is not None and len(tiles) < per_class and not row["found"]:
            picture = decode_rgb(row["image"]["bytes"], name=f"image {row['index']} of {images.manifest}")
            tiles.append(tile(picture, side=side))
            lacking -= len(tiles) == per_class
    return Panel(images.domain, source_title(images.source), tuple(tuple(tiles_of.get(name, ())) for name in classes))


def mosaic(panel: Panel, *, per_class: int, side: int) -> Tile:
    """Return a panel's pictures as one array, a row per class; a class with too few images leaves white."""
    step = side + GAP
    canvas = np.full((step * len(panel.rows) - GAP, step * per_class - GAP, 3), 255, dtype=np.uint8)
    for line, tiles in enumerate(panel.rows):
        for column, picture in enumerate(tiles):
            canvas[line * step : line * step + side, column * step : column * step + side] = picture
    return canvas


def paired(panels: Sequence[Panel]) -> list[Panel]:
    """Return the panels with those of one domain side by side, in the order in which domains first appear."""
    domains = list(dict.fromkeys(panel.domain for panel in panels))
    return sorted(panels, key=lambda panel: domains.index(panel.domain))


def left_edges(panels: Sequence[Panel], *, start: int, width: int) -> list[int]:
    """Return the left edge of each panel in pixels: a small gap within a domain, a wide one between domains."""
    edges, x = [], start
    for number, panel in enumerate(panels):
        if number:
            x += width + (PANEL_GAP if panels[number - 1].domain == panel.domain else PAIR_GAP)
        edges.append(x)
    return edges


def row_label(name: str) -> str:
    """Return a class name on at most two lines."""
    lines = textwrap.wrap(name, LABEL_CHARACTERS) or [name]
    kept = lines[:LABEL_LINES]
    return "\n".join(kept if len(lines) <= LABEL_LINES else [*kept[:-1], f"{kept[-1][: LABEL_CHARACTERS - 1]}…"])


def image_grid(generated: Sequence[Path], real: Sequence[Path], *, per_class: int, max_classes: int) -> Figure | str:
    """Draw a panel per domain, generated beside real, with class names as row labels.

    Args:
        generated: manifests of the images that were trained on.
        real: manifests of the real test images.
        per_class: pictures of each class in a panel.
        max_classes: classes shown, from the first one on.

    Raises:
        InputError: a manifest, shard or picture is damaged.
    """
    if not (generated or real):
        return "There are no images: none was generated, and the data set has no real test images."
    sets = [load_image_set(path) for path in (*generated, *real)]
    classes = sets[0].classes[:max_classes]
    side = tile_side(per_class * len(sets))
    panels = [read_panel(images, classes=classes, per_class=per_class, side=side) for images in sets]
    return draw_grid(paired(panels), classes=classes, per_class=per_class, side=side)


def draw_grid(panels: Sequence[Panel], *, classes: Sequence[str], per_class: int, side: int) -> Figure:
    """Place the panels pixel by pixel, so that nothing is resampled, and write their names beside them."""
    labels = [row_label(name) for name in classes]
    label_width = _text_width(labels)
    pictures = [mosaic(panel, per_class=per_class, side=side) for panel in panels]
    height, width = pictures[0].shape[:2]
    edges = left_edges(panels, start=2 * MARGIN + label_width, width=width)
    size = (edges[-1] + width + MARGIN, HEADER + height + MARGIN)
    figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI)
    for number, (panel, picture, left) in enumerate(zip(panels, pictures, edges, strict=True)):
        figure.figimage(picture, xo=left, yo=MARGIN, origin="upper")
        if number == 0 or panels[number - 1].domain != panel.domain:
            _write(figure, size, left, HEADER - 44, panel.domain, weight="bold")
        _write(figure, size, left, HEADER - 12, panel.kind, color=GRAY)
    for line, label in enumerate(labels):
        y = HEADER + line * (side + GAP) + side // 2
        _write(figure, size, MARGIN + label_width, y, label, ha="right", va="center")
    return figure


def _write(figure: Figure, size: tuple[int, int], x: int, y: int, text: str, **changes: str) -> None:
    # Class names are data: a dollar sign in one is a dollar sign.
    options: dict[str, Any] = {
        "fontsize": LABEL_POINTS,
        "ha": "left",
        "va": "baseline",
        "linespacing": 1.0,
        "parse_math": False,
    }
    figure.text(x / size[0], 1 - y / size[1], text, **(options | changes))


def _text_width(texts: Sequence[str]) -> int:
    figure = Figure(dpi=DPI)
    renderer = FigureCanvasAgg(figure).get_renderer()
    drawn = [figure.text(0, 0, text, fontsize=LABEL_POINTS, parse_math=False) for text in texts]
    return int(np.ceil(max(text.get_window_extent(renderer).width for text in drawn)))


def _texts(inputs: FigureInputs) -> FigureTexts:
    item = inputs.comparison
    trained = "The images that were trained on" if item.source == REAL_TRAIN else "Generated images"
    shown = f"{trained}, beside real test images of the same class and domain"
    alt = f"images from {item.source} beside real ones"
    if not inputs.trained_methods:
        shown, alt = "Real test images of each class and domain", "real ones"
    return FigureTexts(
        title="Images",
        caption=f"{shown}: the first of each class that no check leaves out. Nothing was trained on the test images. "
        "Small pictures are enlarged without smoothing.",
        alt=f"Grid of images of {item.dataset}: a row per class, a group of columns per domain, {alt}.",
    )


FIGURE = ReportFigure(
    texts=_texts,
    draw=lambda inputs: image_grid(
        inputs.training_images,
        inputs.test_images,
        per_class=inputs.images_per_class,
        max_classes=MAX_CLASSES,
    ),
)
