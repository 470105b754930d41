"""Which images and classes a training sees."""

from pathlib import Path

import numpy as np
import pytest
import torch

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import encode_png
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.shards import ImageRow, ImageSet, load_image_set, write_image_manifest, write_shard
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.image_selection import (
    SeenImages,
    image_predicate,
    label_rows,
    load_seen_images,
    load_training_sets,
)
from workflow_scripts.training.method_settings import TrainingJob

CLASSES = ("cat", "dog", "cow")


def write_images(folder: Path, *, source: str) -> ImageSet:
    rows = [
        ImageRow(
            image=encode_png(np.full((4, 4, 3), 40 * label + index, dtype=np.uint8)),
            label=label,
            class_name=CLASSES[label],
            domain="photo",
            index=index,
            image_id=f"{label}-{index}",
        )
        for index in range(10)
        for label in range(3)
    ]
    write_shard(folder / "shards/00000.parquet", rows, provenance={"classes": list(CLASSES)})
    manifest = folder / "manifest.json"
    write_image_manifest(manifest, [folder / "shards/00000.parquet"], dataset="d", source=source, domain="photo")
    return load_image_set(manifest)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return write_images(tmp_path_factory.mktemp("images"), source=REAL_TRAIN)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return write_images(tmp_path_factory.mktemp("generated"), source="diffusion")


PREPROCESSING = Preprocessing(size=4, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def seen_of(
    *sets: ImageSet, shots: int | None = None, seed: int = 0, base: tuple[int, ...] | None = None
) -> SeenImages:
    method = Finetune(kind="finetune", train_on="mixed", shots=shots)
    job = TrainingJob[Finetune](method=method, seed=seed, base=base)
    return load_seen_images([each.manifest for each in sets], job, preprocessing=PREPROCESSING, threads=1)


def test_shots_reduce_the_training_part_alone(images: ImageSet) -> None:
    seen = seen_of(images, shots=3)
    assert np.bincount(seen.training.labels).tolist() == [3, 3, 3]
    assert max(seen.training.index) < 8
    assert len(seen.held_out) == 6
    assert seen_of(images, shots=3, seed=1).training.image_id != seen.training.image_id


def test_shots_of_real_images_lie_beside_all_generated_ones(images: ImageSet, generated: ImageSet) -> None:
    seen = seen_of(generated, images, shots=3)
    assert np.bincount(seen.training.domain).tolist() == [24, 9]
    assert np.bincount(seen.held_out.domain).tolist() == [6, 6]


def test_base_classes_alone_are_seen(images: ImageSet) -> None:
    seen = seen_of(images, base=(0, 2))
    assert set(seen.training.labels.tolist()) == {0, 2}
    assert set(seen.held_out.labels.tolist()) == {0, 2}
    assert seen.label_rows.tolist() == label_rows(3, (0, 2)).tolist() == [0, -1, 1]
    assert seen.trained_labels.tolist() == [0, 2]
    assert seen.rows(seen.training, torch.tensor([0, 1])).tolist() == [0, 1]
    assert label_rows(3, None).tolist() == [0, 1, 2]


def test_too_many_shots_are_an_error(images: ImageSet) -> None:
    with pytest.raises(InputError, match="class 'cat' has 8 training images, not 9 shots"):
        image_predicate([images], base=None, shots=9, seed=0)


def test_everything_is_seen_by_default(images: ImageSet) -> None:
    assert image_predicate([images], base=None, shots=None, seed=0) is None
    assert len(load_training_sets([images.manifest], CLASSES)) == 1
    with pytest.raises(InputError, match="its class names are not those of the head"):
        load_training_sets([images.manifest], ("cat", "dog", "horse"))
