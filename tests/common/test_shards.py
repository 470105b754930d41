"""Shards: whole or absent, readable by the datasets library's convention, damage named."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.shards import (
    ImageRow,
    load_image_set,
    open_shard,
    provenance_of,
    write_image_manifest,
    write_shard,
)

CLASSES = ["cat", "dog"]


def rows(count: int, first: int = 0) -> list[ImageRow]:
    return [
        ImageRow(
            image=b"%d" % k,
            label=k % 2,
            class_name=CLASSES[k % 2],
            domain="photo",
            index=first + k // 2,
            image_id=str(k),
            seed=k,
        )
        for k in range(count)
    ]


def image_set(folder: Path, count: int = 20) -> Path:
    shard = folder / "shards/00000.parquet"
    write_shard(shard, rows(count), provenance={"classes": CLASSES, "steps": 3})
    manifest = folder / "manifest.json"
    write_image_manifest(manifest, [shard], dataset="pets", source="gen", domain="photo")
    return manifest


def test_rows_come_back_in_groups_of_a_hundred(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    assert write_shard(path, iter(rows(250)), provenance={"classes": CLASSES}) == 250
    file = open_shard(path)
    assert [file.metadata.row_group(k).num_rows for k in range(3)] == [100, 100, 50]
    first = pq.read_table(path).to_pylist()[0]
    assert first["image"] == {"bytes": b"0", "path": None}
    assert first["seed"] == 0
    assert "flagged" not in first
    assert provenance_of(file) == {"classes": CLASSES}
    features = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}


def test_what_checks_found_is_told_with_each_row(tmp_path: Path) -> None:
    found = [(None, False), (True, False), (None, True), (True, True)]
    checked = [replace(row, checks={"flagged": a, "black": b}) for row, (a, b) in zip(rows(4), found, strict=True)]
    path = tmp_path / "shards/0.parquet"
    write_shard(path, checked, provenance={"classes": CLASSES}, checks=("flagged", "black"))
    assert pq.read_schema(path).names[-2:] == ["flagged", "black"]
    write_image_manifest(tmp_path / "manifest.json", [path], dataset="d", source="g", domain="photo")
    read = list(load_image_set(tmp_path / "manifest.json").rows(("label",)))
    assert [row["found"] for row in read] == [(), ("flagged",), ("black",), ("flagged", "black")]
    with pytest.raises(InputError, match="check 'label': every shard has a column of this name; choose another"):
        write_shard(path, checked, provenance={"classes": CLASSES}, checks=("label",))


def test_every_image_of_a_domain_has_its_own_name(tmp_path: Path) -> None:
    paths = [tmp_path / f"shards/{number}.parquet" for number in range(2)]
    for path in paths:
        write_shard(path, rows(3), provenance={"classes": CLASSES})
    with pytest.raises(InputError, match="6 images have 3 names; every image of a domain has its own"):
        write_image_manifest(tmp_path / "manifest.json", paths, dataset="d", source="g", domain="photo")


def test_a_shard_that_fails_half_way_is_not_there(tmp_path: Path) -> None:
    def failing():
        yield from rows(150)
        raise RuntimeError("drawing failed")

    with pytest.raises(RuntimeError, match="drawing failed"):
        write_shard(tmp_path / "shard.parquet", failing(), provenance={"classes": CLASSES})
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_job_left_of_a_shard_goes(tmp_path: Path) -> None:
    stale, other = tmp_path / ".shard.parquet.abc.part", tmp_path / ".shard.parquet2.abc.part"
    for path in (stale, other):
        path.touch()
    write_shard(tmp_path / "shard.parquet", rows(2), provenance={"classes": CLASSES})
    assert sorted(tmp_path.iterdir()) == [other, tmp_path / "shard.parquet"]


def test_equal_rows_make_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_shard(tmp_path / name, rows(10), provenance={"classes": CLASSES})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_manifest_counts_and_finds_its_shards_again(tmp_path: Path) -> None:
    images = load_image_set(image_set(tmp_path / "here"))
    assert (images.images, images.counts, images.classes) == (20, (10, 10), ("cat", "dog"))
    assert [images.is_held_out(1, index) for index in (0, 7, 8, 9)] == [False, False, True, True]
    assert [row["index"] for row in images.rows(("index",))][:4] == [0, 0, 1, 1]
    moved = (tmp_path / "here").rename(tmp_path / "there")
    assert load_image_set(moved / "manifest.json").images == 20


def test_damage_is_named(tmp_path: Path) -> None:
    manifest = image_set(tmp_path)
    shard = tmp_path / "shards/00000.parquet"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(InputError, match=r"00000\.parquet: damaged .*delete it and run snakemake again"):
        load_image_set(manifest)
    shard.write_bytes(content[:100])
    with pytest.raises(InputError, match=r"00000\.parquet: not a readable shard"):
        open_shard(shard)
    shard.unlink()
    with pytest.raises(InputError, match=r"00000\.parquet: missing"):
        load_image_set(manifest)


def test_a_flipped_bit_never_gets_into_a_manifest(tmp_path: Path) -> None:
    manifest = image_set(tmp_path)
    shard = tmp_path / "shards/00000.parquet"
    content = bytearray(shard.read_bytes())
    content[40] ^= 1
    shard.write_bytes(content)
    with pytest.raises(InputError, match=r"00000\.parquet: not a readable shard .*delete it and run snakemake again"):
        write_image_manifest(manifest, [shard], dataset="pets", source="gen", domain="photo")


def test_an_empty_shard_makes_no_manifest(tmp_path: Path) -> None:
    shard = tmp_path / "shards/0.parquet"
    write_shard(shard, [], provenance={"classes": CLASSES})
    with pytest.raises(InputError, match="no image in any shard"):
        write_image_manifest(tmp_path / "manifest.json", [shard], dataset="d", source="s", domain="p")


def test_shards_of_other_classes_are_refused(tmp_path: Path) -> None:
    shards = []
    for number, classes in enumerate((CLASSES, ["dog", "cat"])):
        shards.append(tmp_path / f"shards/{number}.parquet")
        write_shard(shards[-1], rows(4), provenance={"classes": classes})
    with pytest.raises(InputError, match=r"1\.parquet: its class names are not those of"):
        write_image_manifest(tmp_path / "manifest.json", shards, dataset="d", source="s", domain="p")
