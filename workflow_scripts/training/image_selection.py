"""Which images a training sees: all, those of the base classes, or a number of shots per class."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import DecodedImages, ImagePredicate, Split, decode_image_sets
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.common.shards import ImageSet, load_image_set

ImageLoader = Callable[[Split], DecodedImages]


def load_training_sets(manifests: Sequence[Path], classes: tuple[str, ...]) -> list[ImageSet]:
    """Load the images of a training.

    Raises:
        InputError: a manifest or shard is damaged, or its class names are not the head's.
    """
    sets = [load_image_set(manifest) for manifest in manifests]
    for images in sets:
        if images.classes != classes:
            raise InputError(f"{images.manifest}: its class names are not those of the head; rebuild both")
    return sets


def image_predicate(
    sets: Sequence[ImageSet], *, base: Sequence[int] | None, shots: int | None, seed: int
) -> ImagePredicate | None:
    """Return which images are trained on, or None for all.

    Shots are drawn per class and domain from the training split with the run's seed; the held-out split is not reduced.

    Raises:
        InputError: a class of a domain has fewer images than shots.
    """
    if base is None and shots is None:
        return None
    labels = None if base is None else frozenset(base)
    drawn = None if shots is None else [_shots(images, shots, seed=seed, labels=labels) for images in sets]

    def predicate(domain: int, label: int, index: int) -> bool:
        if labels is not None and label not in labels:
            return False
        return drawn is None or sets[domain].is_held_out(label, index) or (label, index) in drawn[domain]

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


def image_loader(
    sets: Sequence[ImageSet], *, preprocessing: Preprocessing, predicate: ImagePredicate | None, threads: int
) -> ImageLoader:
    """Return a function that decodes one split of the selected images."""

    def load(split: Split) -> DecodedImages:
        return decode_image_sets(
            sets,
            size=preprocessing.size,
            geometry=preprocessing.geometry,
            split=split,
            predicate=predicate,
            threads=threads,
        )

    return load


def label_rows(classes: int, base: Sequence[int] | None) -> torch.Tensor:
    """Return each label's row among the trained classes (classes), -1 where it is not trained on."""
    if base is None:
        return torch.arange(classes)
    rows = torch.full((classes,), -1)
    rows[torch.tensor(list(base))] = torch.arange(len(base))
    return rows
