"""Image folders: class names survive the round trip, errors are named before work starts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import encode_png
from workflow_scripts.real_images.folders import class_of, folder_of, listing_digest, validate_folders
from workflow_scripts.real_images.kinds.folder import ImageFolders
from workflow_scripts.real_images.rows import real_rows
from workflow_scripts.real_images.settings import RealShardJob

AIRCRAFT = ("F-16A/B", "F/A-18", "Ram C/V", "..", ".hidden", "100%")


@pytest.mark.parametrize("name", AIRCRAFT)
def test_odd_names_have_folders_of_their_own(name: str) -> None:
    folder = folder_of(name)
    assert "/" not in folder
    assert not folder.startswith(".")
    assert class_of(folder) == name


@given(st.text(st.characters(exclude_characters="_", exclude_categories=["Cs"]), min_size=1))
def test_round_trip_of_any_name(name: str) -> None:
    assert class_of(folder_of(name)) == name


def make_folders(root: Path, names: tuple[str, ...], pictures: int = 2) -> Path:
    for number, name in enumerate(names):
        for k in range(pictures):
            path = root / folder_of(name) / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_png(np.full((4, 4), 40 * number + k, dtype=np.uint8)))
    return root


def shard(root: Path, **changes) -> RealShardJob[ImageFolders]:
    images = ImageFolders(kind="folder", test={"photo": str(root)}, **changes)
    return RealShardJob[ImageFolders](dataset="d", images=images, source="real-test", domain="photo", shard=0)


def test_labels_follow_the_names_not_the_folders(tmp_path: Path) -> None:
    # Sorted as folders, F-16A/B and F/A-18 would change places (a label swap in a published release).
    names = ("F/A-18", "F-16A/B", "Ram C/V")
    rows = list(real_rows(shard(make_folders(tmp_path, names)), names))
    assert [(row.label, row.class_name, row.index) for row in rows] == [
        (label, name, index) for label, name in enumerate(names) for index in range(2)
    ]
    assert rows[2].image_id == "photo/F-16A%2FB/0.png"


def test_shards_cut_the_pictures_without_overlap(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    make_folders(tmp_path, names, pictures=3)
    parts = [
        [row.image_id for row in real_rows(shard(tmp_path, shards=4).model_copy(update={"shard": k}), names)]
        for k in range(4)
    ]
    assert sorted(name for part in parts for name in part) == sorted(
        f"photo/{name}/{k}.png" for name in names for k in range(3)
    )
    assert {len(part) for part in parts} == {2, 3}


def test_errors_are_named(tmp_path: Path) -> None:
    make_folders(tmp_path, ("cat", "dog"))
    with pytest.raises(InputError, match=r"no folder for class 'bird' \(expected 'bird'\)"):
        validate_folders(tmp_path, ("cat", "dog", "bird"))
    with pytest.raises(InputError, match="folder 'dog' is no class"):
        validate_folders(tmp_path, ("cat", "cow"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="folder 'empty' holds no picture"):
        validate_folders(tmp_path, ("cat", "dog", "empty"))
    with pytest.raises(InputError, match="no such folder"):
        validate_folders(tmp_path / "none", ("cat", "dog"))


def test_an_undecodable_picture_is_named(tmp_path: Path) -> None:
    make_folders(tmp_path, ("cat", "dog"))
    (tmp_path / "dog/1.png").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"dog/1\.png: not a readable picture"):
        list(real_rows(shard(tmp_path), ("cat", "dog")))


def test_the_listing_sees_names_and_sizes_not_times(tmp_path: Path) -> None:
    import os

    make_folders(tmp_path, ("cat", "dog"))
    before = listing_digest(tmp_path)
    os.utime(tmp_path / "cat/0.png")
    assert listing_digest(tmp_path) == before
    (tmp_path / "cat/0.png").rename(tmp_path / "cat/7.png")
    assert listing_digest(tmp_path) != before
