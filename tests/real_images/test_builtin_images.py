"""Built-in data sets and their domains."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workflow_scripts.common.errors import InputError
from workflow_scripts.real_images.domains import in_domain
from workflow_scripts.real_images.kinds.digits import CLASS_NAMES, Digits
from workflow_scripts.real_images.kinds.fashion_mnist import CLASS_NAMES as GARMENTS
from workflow_scripts.real_images.kinds.fashion_mnist import FashionMnist, read_idx
from workflow_scripts.real_images.pictures import Pictures
from workflow_scripts.real_images.rows import real_rows
from workflow_scripts.real_images.settings import RealShardJob


def idx(values: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(np.uint8).tobytes()


def test_idx_files_packed_or_not(tmp_path: Path) -> None:
    values = np.arange(24).reshape(2, 3, 4)
    (tmp_path / "plain").write_bytes(idx(values))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(idx(values)))
    for name in ("plain", "packed"):
        assert np.array_equal(read_idx(tmp_path / name, dimensions=3), values)
    (tmp_path / "short").write_bytes(idx(values)[:-1])
    with pytest.raises(InputError, match="cut short"):
        read_idx(tmp_path / "short", dimensions=3)
    with pytest.raises(InputError, match=r"none: missing \(with or without \.gz\)"):
        read_idx(tmp_path / "none", dimensions=3)


def test_fashion_mnist_from_a_folder(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (6, 28, 28))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(pictures))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.array([3, 1, 3, 3, 0, 9])))
    images = FashionMnist(kind="fashion-mnist", folder=str(tmp_path), test_images=5, domains=("negative",))
    settings = RealShardJob[FashionMnist](dataset="f", images=images, source="real-test", domain="negative", shard=0)
    rows = list(real_rows(settings, GARMENTS))
    assert [(row.label, row.index, row.image_id) for row in rows] == [
        (3, 0, "real-test/0"),
        (1, 0, "real-test/1"),
        (3, 1, "real-test/2"),
        (3, 2, "real-test/3"),
        (0, 0, "real-test/4"),
    ]
    assert rows[0].class_name == "Dress"


def test_digits_are_split_without_overlap() -> None:
    images = Digits(kind="digits")
    train, test = (images.pictures(source, "photo", CLASS_NAMES) for source in ("real-train", "real-test"))
    assert (len(train.labels), len(test.labels)) == (1400, 397)
    block = np.stack([np.asarray(picture) for picture in train.read(range(10, 30))])
    assert (block.shape, str(block.dtype), int(block.max())) == ((20, 8, 8), "uint8", 255)
    assert (train.image_id(7), test.image_id(7)) == ("real-train/7", "real-test/7")


def test_labels_beyond_the_class_names_are_refused() -> None:
    settings = RealShardJob[Digits](
        dataset="d", images=Digits(kind="digits"), source="real-test", domain="photo", shard=0
    )
    with pytest.raises(InputError, match="dataset 'd': labels from 0 to 9, but 9 class names"):
        next(real_rows(settings, CLASS_NAMES[:9]))


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (
            [np.zeros((4, 4), dtype=np.uint8)],
            "3 pictures were asked for, more or fewer read",
        ),
        (
            np.zeros((4, 4, 4), dtype=np.uint8),
            "3 pictures were asked for, more or fewer read",
        ),
        (np.zeros((3, 4, 4)), r"photo 0: float64 of shape \(4, 4\) is no picture; give uint8"),
        (np.zeros((3, 4, 4, 4), dtype=np.uint8), r"photo 0: uint8 of shape \(4, 4, 4\) is no picture"),
        ([b"no picture"] * 3, "photo 0: not a readable picture"),
    ],
)
def test_what_a_kind_hands_over_is_looked_at(given: Any, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = Pictures(
        labels=np.zeros(3, dtype=np.int64), image_id=lambda number: f"photo {number}", read=lambda _: given
    )
    monkeypatch.setattr(Digits, "pictures", lambda *_: pictures)
    settings = RealShardJob[Digits](
        dataset="d", images=Digits(kind="digits"), source="real-test", domain="photo", shard=0
    )
    with pytest.raises(InputError, match=error):
        list(real_rows(settings, CLASS_NAMES))


def test_colors_have_domains_too() -> None:
    gray = np.random.default_rng(0).integers(0, 256, (2, 6, 6), dtype=np.uint8)
    colors = np.stack([gray, 255 - gray, np.zeros_like(gray)], axis=-1)
    assert np.array_equal(in_domain(colors, "photo"), colors)
    assert np.array_equal(in_domain(colors, "negative"), 255 - colors)
    sketch = in_domain(colors, "sketch")
    assert np.array_equal(sketch[..., 0], in_domain(gray, "sketch"))
    assert np.array_equal(sketch[..., 1], sketch[..., 0])
    assert not sketch[..., 2].any()
    with pytest.raises(InputError, match="'painting' is no computed domain"):
        in_domain(gray, "painting")


def test_domains() -> None:
    picture = np.zeros((1, 8, 8), dtype=np.uint8)
    picture[:, :, 4:] = 200
    assert np.array_equal(in_domain(picture, "photo"), picture)
    assert np.array_equal(in_domain(picture, "negative"), 255 - picture)
    sketch = in_domain(picture, "sketch")[0]
    assert sketch[4].tolist() == [0, 0, 0, 255, 255, 0, 0, 0]
    assert in_domain(np.full((1, 4, 4), 9, dtype=np.uint8), "sketch").max() == 0


def test_a_sketch_depends_on_its_own_picture_alone() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    together = in_domain(pictures, "sketch")
    for number in range(3):
        np.testing.assert_array_equal(together[number], in_domain(pictures[number : number + 1], "sketch")[0])
