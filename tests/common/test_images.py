"""Decoding: every kind of picture is RGB afterwards, or refused by name."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import decode_image_sets, decode_rgb, encode_png
from workflow_scripts.common.shards import ImageRow, load_image_set, write_image_manifest, write_shard


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format=kind, **options)
    return stream.getvalue()


def test_png_round_trip() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert np.array_equal(np.asarray(decode_rgb(encode_png(pixels), name="x")), pixels)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("L", (2, 2), 100), (100, 100, 100)),
        (Image.new("1", (1, 1), 1), (255, 255, 255)),
        (Image.new("RGBA", (2, 2), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("LA", (2, 2), (7, 255)), (7, 7, 7)),
        (Image.fromarray(np.full((2, 2), 65535, dtype=np.uint16)), (255, 255, 255)),
        (Image.fromarray(np.full((2, 2), 257 * 100, dtype=np.uint16)), (100, 100, 100)),
    ],
)
def test_modes_are_converted(picture: Image.Image, expected: tuple[int, int, int]) -> None:
    assert decode_rgb(encoded(picture), name="x").getpixel((0, 0)) == expected


def test_palette_animation_and_cmyk() -> None:
    palette = Image.new("P", (2, 2))
    palette.putpalette([10, 20, 30] + [0] * 765)
    assert decode_rgb(encoded(palette), name="x").getpixel((1, 1)) == (10, 20, 30)
    frames = [Image.new("RGB", (2, 2), color) for color in ("red", "blue")]
    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.asarray(decode_rgb(animation, name="x"))[0, 0, 0] > 200
    cmyk = encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG")
    assert decode_rgb(cmyk, name="x").getpixel((0, 0)) == (255, 255, 255)


def test_upright_by_exif() -> None:
    picture = Image.new("RGB", (4, 2))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_rgb(encoded(picture, "JPEG", exif=exif), name="x").size == (2, 4)


@pytest.mark.parametrize("content", [b"", b"not a picture", encoded(Image.new("RGB", (64, 64)), "JPEG")[:200]])
def test_undecodable_pictures_are_named(content: bytes) -> None:
    with pytest.raises(InputError, match=r"cats/3\.jpg: not a readable picture"):
        decode_rgb(content, name="cats/3.jpg")


def test_a_decompression_bomb_is_refused() -> None:
    bomb = encoded(Image.new("1", (11_000, 11_000)))
    with pytest.raises(InputError, match="11000 x 11000 pixels are too many"):
        decode_rgb(bomb, name="bomb.png")


def image_set(folder: Path, classes: list[str]) -> Path:
    gray = [encode_png(np.full((4, 4), 10 * k, dtype=np.uint8)) for k in range(10)]
    rows = [
        ImageRow(
            image=gray[k],
            label=0,
            class_name=classes[0],
            domain="s",
            index=k,
            image_id=str(k),
            checks={"flagged": k == 1, "black": k == 0},
        )
        for k in range(10)
    ]
    write_shard(folder / "0.parquet", rows, provenance={"classes": classes}, checks=("flagged", "black"))
    write_image_manifest(folder / "manifest.json", [folder / "0.parquet"], dataset="d", source="s", domain=folder.name)
    return folder / "manifest.json"


def test_parts_and_left_out_images(tmp_path: Path) -> None:
    images = load_image_set(image_set(tmp_path, ["a", "b"]))

    def decoded(split):
        return decode_image_sets([images], size=4, geometry=lambda picture: picture, split=split, threads=2)

    assert decoded("training").index.tolist() == [2, 3, 4, 5, 6, 7]
    assert decoded("held-out").index.tolist() == [8, 9]
    whole = decoded("all")
    assert whole.left_out == 2
    assert [int(pixels[0, 0, 0]) for pixels in whole.pixels] == [10 * k for k in range(2, 10)]


def test_domains_with_other_classes_are_refused(tmp_path: Path) -> None:
    sets = [
        load_image_set(image_set(tmp_path / name, classes)) for name, classes in (("x", ["a", "b"]), ("y", ["a", "c"]))
    ]
    with pytest.raises(InputError, match="its class names are not those of"):
        decode_image_sets(sets, size=4, geometry=lambda picture: picture)
