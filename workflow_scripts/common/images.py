"""Decoding: from the bytes of one picture to RGB, and from shards to one memory-mapped array of pixels."""

import io
import logging
import struct
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from workflow_scripts.common.constants import HELD_OUT
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.logs import progress
from workflow_scripts.common.shards import ROWS_PER_GROUP, ImageSet, counted

logger = logging.getLogger(__name__)

Split = Literal["all", "training", "held-out"]

MAX_PIXELS = 89_000_000
"""Largest picture that is decoded; a larger one is refused as a decompression bomb, just before PIL would warn."""
MAX_ASPECT_RATIO = 100
"""Longest side of a picture in shortest sides: scaling the shortest one up must not make a bomb of a thread."""
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""What is read. PIL knows many more formats; among them one that starts another program (EPS)."""

_UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    LookupError,
    ArithmeticError,
    AttributeError,
    struct.error,
)
"""What PIL raises on damaged pictures."""

Geometry = Callable[[Image.Image], Image.Image]
ImagePredicate = Callable[[int, int, int], bool]
"""Whether an image is wanted, from its domain's number, its label and its index within the class."""


def decode_rgb(content: bytes, *, name: str) -> Image.Image:
    """Decode a picture to 8-bit RGB: upright, alpha over white, first frame of an animation, 16 bits scaled to 8.

    Args:
        content: the encoded picture.
        name: what to call it in an error.

    Raises:
        InputError: the picture is truncated, too large, too long, has 32 bits per channel, or is in no known format.
    """
    try:
        picture: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
        _validate_size(picture, name)
        picture.load()
        if picture.mode in ("I", "F"):
            raise InputError(f"{name}: 32-bit pixels have no fixed range; save it with 8 or 16 bits per channel")
        return _to_rgb(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError:
        raise InputError(f"{name}: over {MAX_PIXELS} pixels are too many; make it smaller") from None
    except UnidentifiedImageError:
        known = ", ".join(FORMATS)
        raise InputError(f"{name}: not a readable picture (none of {known}); replace or remove it") from None
    except _UNREADABLE as error:
        raise InputError(f"{name}: not a readable picture ({error}); replace or remove it") from None


def _validate_size(picture: Image.Image, name: str) -> None:
    short, long = sorted(picture.size)
    if short * long > MAX_PIXELS:
        raise InputError(f"{name}: {picture.width} x {picture.height} pixels are too many; make it smaller")
    if long > MAX_ASPECT_RATIO * short:
        raise InputError(
            f"{name}: {picture.width} x {picture.height} pixels, one side over {MAX_ASPECT_RATIO} times the other; "
            "crop it"
        )


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        # PIL clips 16-bit grays to 255; they are scaled instead, so that a 16-bit picture is not white.
        values = np.asarray(picture, dtype=np.float32)
        return Image.fromarray((values / 257.0).round().astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        background = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(background, layered).convert("RGB")
    return picture.convert("RGB")


def verify_pixels(pixels: Any, *, name: str) -> None:
    """Check that an array is a picture: (height, width) or (height, width, 3) of bytes, with a pixel in it.

    Raises:
        InputError: it is not; `name` says whose it is.
    """
    if not isinstance(pixels, np.ndarray):
        raise InputError(f"{name}: a {type(pixels).__name__} is no picture; give an array of uint8")
    colors = pixels.shape[2:]
    if pixels.dtype != np.uint8 or not pixels.size or pixels.ndim < 2 or colors not in ((), (3,)):
        given = f"{pixels.dtype} of shape {pixels.shape}"
        raise InputError(f"{name}: {given} is no picture; give uint8 (height, width) or (height, width, 3)")


def encode_png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Encode an array of shape (height, width) or (height, width, 3) as PNG."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()


@dataclass(frozen=True, kw_only=True)
class DecodedImages:
    """Decoded images on disk, and what is known of each.

    `pixels` is a memory-mapped uint8 array of shape (images, height, width, 3); the other fields have one entry per
    image. `domain` indexes `domains`. `index` counts within the class.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    domain: npt.NDArray[np.int64]
    image_id: tuple[str, ...]
    domains: tuple[str, ...]
    classes: tuple[str, ...]
    left_out: int

    def __len__(self) -> int:
        return len(self.labels)


def decode_image_sets(
    sets: Sequence[ImageSet],
    *,
    size: int,
    geometry: Geometry,
    split: Split = "all",
    predicate: ImagePredicate | None = None,
    threads: int = 1,
    scratch: Path | None = None,
) -> DecodedImages:
    """Decode the images of several domains once, into an unlinked file that is mapped into memory.

    Images in which a check found something are left out and counted.

    Args:
        sets: one per domain, with equal class names.
        size: height and width that `geometry` returns.
        geometry: resizes and crops one RGB picture.
        split: `training` takes what is not held out, `held-out` the rest, `all` takes both.
        predicate: which images are wanted; all if None.
        threads: decoding threads; the result does not depend on them.
        scratch: folder of the temporary file; the system's default if None.

    Raises:
        InputError: the sets' class names differ, a picture or shard is damaged, or no image is left.
    """
    classes = sets[0].classes
    for other in sets[1:]:
        if other.classes != classes:
            raise InputError(f"{other.manifest}: its class names are not those of {sets[0].manifest}; rebuild both")
    total = sum(images.images for images in sets)
    with tempfile.TemporaryFile(dir=scratch) as file:
        pixels = np.memmap(file, dtype=np.uint8, mode="w+", shape=(total, size, size, 3))
    columns: list[tuple[int, int, int, str]] = []
    left_out: Counter[tuple[str, ...]] = Counter()
    rows = progress(_rows_of(sets, split, predicate), what="decoding", total=total)
    with ThreadPoolExecutor(threads) as pool:
        for group in _in_groups(rows, ROWS_PER_GROUP):
            usable = [(domain, row) for domain, row in group if not row["found"]]
            left_out.update(row["found"] for _, row in group if row["found"])
            for (domain, row), picture in zip(
                usable, pool.map(lambda item: _decode(item, geometry), usable), strict=True
            ):
                pixels[len(columns)] = picture
                columns.append((row["label"], row["index"], domain, row["image_id"]))
    if left_out:
        logger.warning("%d of %d images are left out: %s", left_out.total(), total, counted(left_out))
    if not columns:
        why = f"left out are {counted(left_out)}" if left_out else "ask for more images per class"
        raise InputError(f"{sets[0].manifest}: no image is left in its split '{split}'; {why}")
    labels, index, domains, image_id = zip(*columns, strict=True)
    return DecodedImages(
        pixels=pixels[: len(columns)],
        labels=np.asarray(labels, dtype=np.int64),
        index=np.asarray(index, dtype=np.int64),
        domain=np.asarray(domains, dtype=np.int64),
        image_id=image_id,
        domains=tuple(images.domain for images in sets),
        classes=classes,
        left_out=left_out.total(),
    )


_COLUMNS = ("image", "label", "index", "image_id", "class_name")


def _rows_of(
    sets: Sequence[ImageSet], split: Split, predicate: ImagePredicate | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    for domain, images in enumerate(sets):
        for row in images.rows(_COLUMNS):
            held_out = images.is_held_out(row["label"], row["index"])
            in_split = split == "all" or held_out == (split == HELD_OUT)
            if in_split and (predicate is None or predicate(domain, row["label"], row["index"])):
                yield domain, row


def _in_groups(rows: Iterable[tuple[int, dict[str, Any]]], size: int) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    group: list[tuple[int, dict[str, Any]]] = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _decode(item: tuple[int, dict[str, Any]], geometry: Geometry) -> npt.NDArray[np.uint8]:
    _, row = item
    name = f"image {row['index']} of class {row['class_name']!r}"
    return np.asarray(geometry(decode_rgb(row["image"]["bytes"], name=name)), dtype=np.uint8)
