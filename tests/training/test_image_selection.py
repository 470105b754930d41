"""Which images and classes a training sees."""

import numpy as np
import pytest
import torch

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import encode_png
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.shards import ImageRow, ImageSet, load_image_set, write_image_manifest, write_shard
from workflow_scripts.training.image_selection import image_loader, image_predicate, label_rows, load_training_sets
from workflow_scripts.training.train_finetune import trained_rows, whole_head

CLASSES = ("cat", "dog", "cow")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    folder = tmp_path_factory.mktemp("images")
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
    write_image_manifest(manifest, [folder / "shards/00000.parquet"], dataset="d", source="s", domain="photo")
    return load_image_set(manifest)


PREPROCESSING = Preprocessing(size=4, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def test_shots_reduce_the_training_part_alone(images: ImageSet) -> None:
    predicate = image_predicate([images], base=None, shots=3, seed=0)
    load_images = image_loader([images], preprocessing=PREPROCESSING, predicate=predicate, threads=1)
    training = load_images("training")
    assert np.bincount(training.labels).tolist() == [3, 3, 3]
    assert max(training.index) < 8
    assert len(load_images("held-out")) == 6
    others = image_loader(
        [images],
        preprocessing=PREPROCESSING,
        predicate=image_predicate([images], base=None, shots=3, seed=1),
        threads=1,
    )
    assert others("training").image_id != training.image_id


def test_base_classes_alone_are_seen(images: ImageSet) -> None:
    predicate = image_predicate([images], base=(0, 2), shots=None, seed=0)
    load_images = image_loader([images], preprocessing=PREPROCESSING, predicate=predicate, threads=1)
    assert set(load_images("training").labels.tolist()) == {0, 2}
    assert set(load_images("held-out").labels.tolist()) == {0, 2}
    assert label_rows(3, (0, 2)).tolist() == [0, -1, 1]
    assert label_rows(3, None).tolist() == [0, 1, 2]


def test_too_many_shots_are_an_error(images: ImageSet) -> None:
    with pytest.raises(InputError, match="class 'cat' has 8 training images, not 9 shots"):
        image_predicate([images], base=None, shots=9, seed=0)


def test_everything_is_seen_by_default(images: ImageSet) -> None:
    assert image_predicate([images], base=None, shots=None, seed=0) is None
    assert len(load_training_sets([images.manifest], CLASSES)) == 1
    with pytest.raises(InputError, match="its class names are not those of the head"):
        load_training_sets([images.manifest], ("cat", "dog", "horse"))


def test_rows_that_are_no_parameters_stay_zero_shot_bit_by_bit() -> None:
    start = {"weight": torch.randn(3, 4), "bias": torch.zeros(3)}
    trained = {name: tensor + 1 for name, tensor in trained_rows(start, (0, 2)).items()}
    whole = whole_head(start, trained, (0, 2))
    assert torch.equal(whole["weight"][1], start["weight"][1])
    assert torch.equal(whole["weight"][[0, 2]], start["weight"][[0, 2]] + 1)
    assert whole["bias"].tolist() == [1.0, 0.0, 1.0]
    assert trained_rows(start, None) is start
    assert whole_head(start, trained, None) is trained
