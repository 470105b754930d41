"""Pictures as an attack or an accident: decoded to the right values, or refused in one line that names the file."""

import contextlib
import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import FORMATS, MAX_ASPECT_RATIO, decode_rgb

RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format=kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *, bits: int = 8, color: int = 0, data: bytes = b"", further: bytes = b"") -> bytes:
    """Write a PNG by hand, so that its header can say anything."""
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    parts = [chunk(b"IHDR", header), further, chunk(b"IDAT", zlib.compress(data, 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def two_halves(mode: str = "RGB") -> Image.Image:
    """Return a picture of 16 x 8 pixels: red on the left, blue on the right."""
    picture = Image.new("RGB", (16, 8), RED)
    picture.paste(BLUE, (8, 0, 16, 8))
    return picture.convert(mode)


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(two_halves(), "JPEG", exif=exif, quality=95, subsampling=0)


def transparent_palette() -> bytes:
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255] + [0] * 762)
    picture.putpixel((3, 3), 1)
    return encoded(picture, "PNG", transparency=0)


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (4, 4), color) for color in (RED, BLUE)]
    return encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )


def gray16(value: int, kind: str = "PNG") -> bytes:
    return encoded(Image.fromarray(np.full((3, 3), value, dtype=np.uint16)), kind)


DECODED: dict[str, tuple[bytes, tuple[int, int], tuple[int, int], tuple[int, int, int]]] = {
    "1 x 1": (encoded(Image.new("RGB", (1, 1), BLUE)), (1, 1), (0, 0), BLUE),
    "1 x 100": (encoded(Image.new("RGB", (1, MAX_ASPECT_RATIO), BLUE)), (1, MAX_ASPECT_RATIO), (0, 99), BLUE),
    "CMYK JPEG": (encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), (8, 8), (4, 4), RED),
    "CMYK TIFF": (encoded(Image.new("CMYK", (8, 8), (255, 255, 0, 0)), "TIFF"), (8, 8), (4, 4), BLUE),
    "16-bit gray PNG": (gray16(257 * 90), (3, 3), (1, 1), (90, 90, 90)),
    "16-bit gray TIFF": (gray16(257 * 90, "TIFF"), (3, 3), (1, 1), (90, 90, 90)),
    "dark 16-bit gray": (gray16(255), (3, 3), (1, 1), (1, 1, 1)),
    "16-bit color PNG": (
        png(1, 1, bits=16, color=2, data=b"\0\xff\xff\0\0\x40\x40"), (1, 1), (0, 0), (255, 0, 64),
    ),
    "1-bit PNG": (encoded(Image.new("1", (9, 9), 1)), (9, 9), (8, 8), (255, 255, 255)),
    "gray with alpha": (encoded(Image.new("LA", (2, 2), (0, 128))), (2, 2), (0, 0), (127, 127, 127)),
    "gray with a transparent value": (
        png(2, 1, data=b"\0\x07\x09", further=chunk(b"tRNS", b"\0\x07")), (2, 1), (0, 0), (255, 255, 255),
    ),
    "palette, opaque part": (transparent_palette(), (4, 4), (3, 3), BLUE),
    "palette, transparent part": (transparent_palette(), (4, 4), (0, 0), (255, 255, 255)),
    "animated GIF": (animated("GIF"), (4, 4), (2, 2), RED),
    "animated WebP": (animated("WEBP"), (4, 4), (2, 2), RED),
    "animated PNG": (animated("PNG"), (4, 4), (2, 2), RED),
    "turned by EXIF": (rotated(), (8, 16), (4, 2), RED),
    "turned by EXIF, lower end": (rotated(), (8, 16), (4, 13), BLUE),
}  # fmt: skip


@pytest.mark.parametrize("name", DECODED)
def test_odd_pictures_have_the_right_values(name: str) -> None:
    content, size, place, expected = DECODED[name]
    picture = decode_rgb(content, name=name)
    assert (picture.mode, picture.size) == ("RGB", size)
    pixel = picture.getpixel(place)
    assert isinstance(pixel, tuple)
    assert max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) <= 2, pixel


def eps() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n(touch) show\n%%EOF\n"


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "decompression bomb": (lambda: png(60_000, 60_000), "over 89000000 pixels are too many; make it smaller"),
    "smaller bomb": (
        lambda: png(11_000, 11_000, bits=1, data=bytes(1_376 * 11_000)),
        "11000 x 11000 pixels are too many",
    ),
    "bomb of the largest header": (lambda: png(2**31 - 1, 2**31 - 1), "over 89000000 pixels are too many"),
    "bomb in a text chunk": (
        lambda: png(1, 1, data=b"\0\0", further=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2_000_000)))),
        "not a readable picture (Decompressed data too large",
    ),
    "thread": (lambda: png(1, 1_000_000), "1 x 1000000 pixels, one side over 100 times the other; crop it"),
    "truncated JPEG": (lambda: encoded(two_halves().resize((512, 512)), "JPEG")[:2_000], "not a readable picture ("),
    "truncated PNG": (lambda: encoded(two_halves().resize((64, 64)))[:-40], "not a readable picture ("),
    "no bytes": (lambda: b"", "not a readable picture (none of JPEG, PNG,"),
    "zeros": (lambda: bytes(10_000), "not a readable picture (none of"),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "not a readable picture (none of"),
    "HTML": (lambda: b"<html><script>alert(1)</script></html>", "not a readable picture (none of"),
    "PostScript, which PIL hands to a program": (eps, "not a readable picture (none of"),
    "empty PNG": (lambda: png(0, 0), "not a readable picture ("),
    "PNG without data": (lambda: png(8, 8), "not a readable picture ("),
    "32-bit floats": (lambda: encoded(Image.new("F", (2, 2), 0.5), "TIFF"), "32-bit pixels have no fixed range"),
    "32-bit integers": (lambda: encoded(Image.new("I", (2, 2), 70_000), "TIFF"), "32-bit pixels have no fixed range"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_pictures_are_refused_by_name(name: str) -> None:
    content, reason = REFUSED[name][0](), REFUSED[name][1]
    assert len(content) < 100_000
    with pytest.raises(InputError, match=f"cats/3.jpg: {re.escape(reason)}") as caught:
        decode_rgb(content, name="cats/3.jpg")
    assert "\n" not in str(caught.value)
    # Neither memory addresses nor other things that differ from run to run.
    assert "0x" not in str(caught.value)


VALID = [encoded(two_halves(), kind) for kind in FORMATS] + [rotated(), animated("GIF"), animated("WEBP"), gray16(7)]


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.floats(0.0, 1.0, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
    st.floats(0.2, 1.0),
)
def test_damaged_bytes_never_raise_anything_else(content: bytes, flips: list[tuple[float, int]], kept: float) -> None:
    damaged = bytearray(content)
    for place, value in flips:
        # Mostly in the header, where it hurts.
        damaged[int(place**3 * len(damaged))] = value
    with contextlib.suppress(InputError):
        assert decode_rgb(bytes(damaged[: int(kept * len(damaged))]), name="x").mode == "RGB"


def test_the_same_picture_in_every_lossless_format_is_the_same() -> None:
    first = decode_rgb(encoded(two_halves()), name="x")
    for kind, options in (("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("GIF", {})):
        other = decode_rgb(encoded(two_halves(), kind, **options), name="x")
        assert ImageChops.difference(first, other).getbbox() is None, kind


def test_no_temporary_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for content in VALID:
        decode_rgb(content, name="x")
    assert list(tmp_path.iterdir()) == []
