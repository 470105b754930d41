"""The grid of generated images beside real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from workflow_scripts.ground.images import decode_rgb
from workflow_scripts.ground.shards import ImageSet, load_image_set
from workflow_scripts.report.style import message_figure

TILE = 56
"""Side of one picture in the grid, in pixels."""

Tile = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Panel:
    """The pictures of one domain: per class a few tiles, in label order."""

    title: str
    rows: tuple[tuple[Tile, ...], ...]


def read_panel(images: ImageSet, *, kind: str, per_class: int, classes: int) -> Panel:
    """Return the first pictures of each class of an image set, scaled to tiles of equal size."""
    found: list[list[Tile]] = [[] for _ in images.classes[:classes]]
    lacking = len(found)
    for row in images.rows(("image", "label", "index")):
        if row["label"] < len(found) and len(found[row["label"]]) < per_class:
            found[row["label"]].append(_tile(row["image"]["bytes"], f"image {row['index']} of {images.manifest}"))
            lacking -= len(found[row["label"]]) == per_class
        if not lacking:
            break
    return Panel(f"{kind}\n{images.domain}", tuple(tuple(tiles) for tiles in found))


def _tile(content: bytes, name: str) -> Tile:
    picture = decode_rgb(content, name=name)
    # Tiny pictures keep their pixels; large ones are shrunk smoothly.
    small = max(picture.size) <= TILE
    return np.asarray(
        ImageOps.pad(
            picture, (TILE, TILE), Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS, color="white"
        )
    )


def mosaic(panel: Panel, *, per_class: int) -> Tile:
    """Return the pictures of a panel as one array, a row per class, with a white line between tiles."""
    step = TILE + 2
    canvas = np.full((step * len(panel.rows), step * per_class, 3), 255, dtype=np.uint8)
    for line, tiles in enumerate(panel.rows):
        for column, tile in enumerate(tiles):
            canvas[line * step : line * step + TILE, column * step : column * step + TILE] = tile
    return canvas


def image_grid(generated: Sequence[Path], real: Sequence[Path], *, per_class: int, most_classes: int) -> Figure:
    """Draw a panel per generated style and per real domain, side by side, with class names as row labels.

    Raises:
        InputError: a manifest, shard or picture is damaged.
    """
    named = [("generated", path) for path in generated] + [("real, test", path) for path in real]
    if not named:
        return message_figure("There are no images: none was generated, and the data set has no real test images.")
    sets = [(kind, load_image_set(path)) for kind, path in named]
    panels = [read_panel(images, kind=kind, per_class=per_class, classes=most_classes) for kind, images in sets]
    classes = sets[0][1].classes[:most_classes]
    width = 1.2 + 0.42 * per_class * len(panels)
    figure = Figure(figsize=(width, 0.6 + 0.42 * len(classes)))
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for number, (axis, panel) in enumerate(zip(axes, panels, strict=True)):
        axis.imshow(mosaic(panel, per_class=per_class), interpolation="nearest")
        axis.set_title(panel.title, fontsize=8)
        axis.set_xticks([])
        names = [name if len(name) <= 24 else f"{name[:23]}…" for name in classes] if number == 0 else []
        axis.set_yticks([(TILE + 2) * (line + 0.5) for line in range(len(names))], names, fontsize=8)
        axis.tick_params(length=0)
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    figure.subplots_adjust(wspace=0.06)
    return figure
