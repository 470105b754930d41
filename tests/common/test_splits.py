"""Which images are held out: few ones, classes of different sizes, and DomainBed's rule."""

import json
from pathlib import Path

import numpy as np
import pytest

from workflow_scripts.common.seeds import domainbed_seed
from workflow_scripts.common.shards import ImageRow, load_image_set, write_image_manifest, write_shard
from workflow_scripts.common.splits import domainbed_split, last_of_each_class


@pytest.mark.parametrize(("count", "held_out"), [(1, 0), (2, 1), (4, 1), (5, 1), (10, 2), (64, 13)])
def test_the_last_fifth_is_held_out_and_something_is_trained_on(count: int, held_out: int) -> None:
    (flags,) = last_of_each_class([count])
    assert flags.tolist() == [False] * (count - held_out) + [True] * held_out


def test_a_small_class_has_its_own_fifth() -> None:
    assert [int(flags.sum()) for flags in last_of_each_class([100, 10, 2])] == [20, 2, 1]


def test_domainbed_seeds_and_split() -> None:
    # Check 9 of VL2V's conformance list.
    seeds = [894182419, 1514274641, 1325548499, 1796103049, 1773288162, 1833038383]
    assert [domainbed_seed(0, environment) for environment in range(6)] == seeds
    (flags,) = domainbed_split([20], seed=seeds[0])
    assert np.flatnonzero(flags).tolist() == [6, 7, 10, 17]


def test_domainbed_counts_class_by_class(tmp_path: Path) -> None:
    shard, manifest = tmp_path / "0.parquet", tmp_path / "manifest.json"
    labels = [0] * 8 + [1] * 12
    rows = [
        ImageRow(
            image=b"",
            label=label,
            class_name="ab"[label],
            domain="photo",
            index=number - 8 * label,
            image_id=str(number),
        )
        for number, label in enumerate(labels)
    ]
    write_shard(shard, rows, provenance={"classes": ["a", "b"]})
    write_image_manifest(
        manifest, [shard], dataset="d", source="real-train", domain="photo", split_seed=domainbed_seed(0, 0)
    )
    assert json.loads(manifest.read_text())["counts"] == [8, 12]
    images = load_image_set(manifest)
    held_out = [(row["label"], row["index"]) for row in images.rows() if images.is_held_out(row["label"], row["index"])]
    assert held_out == [(0, 6), (0, 7), (1, 2), (1, 9)]
