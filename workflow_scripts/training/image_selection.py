"""Which images a training sees: all, those of the base classes, or a number of shots per class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workflow_scripts.common.constants import HELD_OUT, REAL_TRAIN
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import DecodedImages, ImagePredicate, Split, decode_image_sets
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.common.shards import ImageSet, load_image_set
from workflow_scripts.training.method_settings import TrainingJob


@dataclass(frozen=True, kw_only=True)
class SeenImages:
    """What one training sees: decoded images to train on, others to validate with, and the classes among them.

    `label_rows` (classes) holds each label's row among the trained classes, -1 where it is not trained on.
    """

    training: DecodedImages
    held_out: DecodedImages
    label_rows: torch.Tensor

    def rows(self, images: DecodedImages, numbers: torch.Tensor) -> torch.Tensor:
        """Return the rows among the trained classes (batch) of some of the images, by their numbers (batch)."""
        return self.label_rows[torch.from_numpy(images.labels[numbers.numpy()])]

    @property
    def trained_labels(self) -> torch.Tensor:
        """Return the sorted labels of the trained classes."""
        return (self.label_rows >= 0).nonzero()[:, 0]


def load_seen_images(
    manifests: Sequence[Path],
    job: TrainingJob[Any],
    *,
    preprocessing: Preprocessing,
    threads: int,
    classes: tuple[str, ...] | None = None,
) -> SeenImages:
    """Decode the images of a training once.

    Args:
        manifests: of the images, one per domain and source.
        job: whose settings say which images and classes are selected.
        preprocessing: how the encoder sees pictures.
        threads: decoding threads.
        classes: class names of the head, which the images' must be.

    Raises:
        InputError: a manifest or shard is damaged, its class names are others, or a class has too few images.
    """
    sets = load_training_sets(manifests, classes)
    predicate = image_predicate(sets, base=job.base, shots=job.method.shots, seed=job.seed)

    def decoded(split: Split) -> DecodedImages:
        return decode_image_sets(
            sets,
            size=preprocessing.size,
            geometry=preprocessing.geometry,
            split=split,
            predicate=predicate,
            threads=threads,
        )

    return SeenImages(
        training=decoded("training"),
        held_out=decoded(HELD_OUT),
        label_rows=label_rows(len(sets[0].classes), job.base),
    )


def load_training_sets(manifests: Sequence[Path], classes: tuple[str, ...] | None) -> list[ImageSet]:
    """Load the images of a training.

    Raises:
        InputError: a manifest or shard is damaged, or its class names are not the head's.
    """
    sets = [load_image_set(manifest) for manifest in manifests]
    for images in sets:
        if classes is not None and images.classes != classes:
            raise InputError(f"{images.manifest}: its class names are not those of the head; rebuild both")
    return sets


def image_predicate(
    sets: Sequence[ImageSet], *, base: Sequence[int] | None, shots: int | None, seed: int
) -> ImagePredicate | None:
    """Return which images are trained on, or None for all.

    Shots are drawn per class and domain from the training split of real images with the run's seed; generated images
    and the held-out split are not reduced.

    Raises:
        InputError: a class of a domain has fewer images than shots.
    """
    if base is None and shots is None:
        return None
    labels = None if base is None else frozenset(base)
    drawn = [
        None if shots is None or images.source != REAL_TRAIN else _shots(images, shots, seed=seed, labels=labels)
        for images in sets
    ]

    def predicate(domain: int, label: int, index: int) -> bool:
        if labels is not None and label not in labels:
            return False
        chosen = drawn[domain]
        return chosen is None or sets[domain].is_held_out(label, index) or (label, index) in chosen

    return predicate


def _shots(images: ImageSet, shots: int, *, seed: int, labels: frozenset[int] | None) -> frozenset[tuple[int, int]]:
    indices: dict[int, list[int]] = {}
    for row in images.rows(("label", "index")):
        if (labels is None or row["label"] in labels) and not images.is_held_out(row["label"], row["index"]):
            indices.setdefault(row["label"], []).append(row["index"])
    selected = set()
    for label, indices_of_class in sorted(indices.items()):
        if len(indices_of_class) < shots:
            name = images.classes[label]
            raise InputError(
                f"{images.manifest}: class {name!r} has {len(indices_of_class)} training images, not {shots} shots"
            )
        generator = np.random.default_rng(seed_of("shots", images.domain, label, seed))
        selected |= {(label, int(index)) for index in generator.permutation(sorted(indices_of_class))[:shots]}
    return frozenset(selected)


def label_rows(classes: int, base: Sequence[int] | None) -> torch.Tensor:
    """Return each label's row among the trained classes (classes), -1 where it is not trained on."""
    if base is None:
        return torch.arange(classes)
    rows = torch.full((classes,), -1)
    rows[torch.tensor(list(base))] = torch.arange(len(base))
    return rows
