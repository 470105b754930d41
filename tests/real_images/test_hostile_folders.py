"""Image folders as an attack: bad pictures and bad names are refused in one line; odd names are data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.common.test_hostile_pictures import DECODED, REFUSED
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import encode_png
from workflow_scripts.real_images.folders import listing_digest, validate_folders
from workflow_scripts.real_images.kinds.folder import ImageFolders
from workflow_scripts.real_images.rows import real_rows
from workflow_scripts.real_images.settings import RealShardJob

CLASSES = ("cat", "dog")


def pets(root: Path) -> Path:
    for name in CLASSES:
        (root / name).mkdir(parents=True)
        (root / name / "0.png").write_bytes(encode_png(np.zeros((4, 4), dtype=np.uint8)))
    return root


def shard(root: Path) -> RealShardJob[ImageFolders]:
    images = ImageFolders(kind="folder", test={"photo": str(root)})
    return RealShardJob[ImageFolders](dataset="d", images=images, source="real-test", domain="photo", shard=0)


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_picture_in_a_folder_is_named_by_its_path(name: str, tmp_path: Path) -> None:
    path = pets(tmp_path) / "dog/1.jpg"
    path.write_bytes(REFUSED[name][0]())
    with pytest.raises(InputError) as caught:
        list(real_rows(shard(tmp_path), CLASSES))
    assert str(caught.value).startswith(f"{path}: {REFUSED[name][1]}")


def test_odd_pictures_go_in_as_they_are(tmp_path: Path) -> None:
    pets(tmp_path)
    for number, (content, *_) in enumerate(DECODED.values(), start=1):
        (tmp_path / f"dog/{number:02d}.png").write_bytes(content)
    rows = list(real_rows(shard(tmp_path), CLASSES))
    assert len(rows) == 2 + len(DECODED)
    assert [row.image for row in rows[2:]] == [content for content, *_ in DECODED.values()]


def run_shard(root: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "classes.json").write_text(json.dumps(CLASSES))
    command = [
        sys.executable,
        "-m",
        "workflow_scripts.real_images.convert_real_images",
        "--kind",
        "folder",
        "--settings",
        shard(root).canonical(),
    ]
    command += ["--classes", str(folder / "classes.json"), "--output", str(folder / "out/shard.parquet")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_job_says_it_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    root = pets(tmp_path / "pets")
    (root / "dog/a\nERROR forged: line\x1b[31m.jpg").write_bytes(b"<html>")
    completed = run_shard(root, tmp_path)
    assert completed.returncode == 1
    lines = [line for line in completed.stderr.splitlines() if "ERROR" in line]
    assert len(lines) == 1
    assert rf"{root}/dog/a\nERROR forged: line\x1b[31m.jpg: not a readable picture" in lines[0]
    assert "Traceback" not in completed.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_odd_file_names_are_data(tmp_path: Path) -> None:
    root = pets(tmp_path / "pets")
    names = [
        "$(touch pwned).png",
        "; touch pwned.png",
        "`touch pwned`.png",
        "a\nb.png",
        "\u202egnp.png",
        "<b>.png",
        "-rf.png",
    ]
    for name in names:
        (root / "dog" / name).write_bytes((root / "dog/0.png").read_bytes())
    completed = run_shard(root, tmp_path)
    assert completed.returncode == 0, completed.stderr
    sources = pq.read_table(tmp_path / "out/shard.parquet")["image_id"].to_pylist()
    assert set(sources) == {"photo/cat/0.png", "photo/dog/0.png", *(f"photo/dog/{name}" for name in names)}
    assert not list(tmp_path.rglob("pwned*"))


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    pets(tmp_path)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/dog/caf\xe9.png")).write_bytes(b"x")
    with pytest.raises(InputError, match=r"the name 'caf\\udce9\.png' is no UTF-8: rename it"):
        validate_folders(tmp_path, CLASSES)


def test_links_and_folders_in_the_place_of_pictures(tmp_path: Path) -> None:
    root = pets(tmp_path / "pets")
    before = listing_digest(root)
    (root / "dog/gone.png").symlink_to(tmp_path / "nowhere")
    (root / "dog/loop.png").symlink_to(root / "dog/loop.png")
    (root / "dog/up.png").symlink_to(root)
    (root / "dog/folder.png").mkdir()
    assert listing_digest(root) == before
    assert len(list(real_rows(shard(root), CLASSES))) == 2
    (root / "dog/secret.png").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match=r"dog/secret\.png: not a readable picture \(none of") as caught:
        list(real_rows(shard(root), CLASSES))
    assert Path("/etc/hostname").read_text().strip() not in str(caught.value)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_paths_that_no_file_system_has(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a readable folder|no such folder"):
        validate_folders(tmp_path / name, CLASSES)
