"""Which images a training sees: all, those of the base classes, or a number of shots per class."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.images import DecodedImages, Keep, Part, decode_image_sets
from workflow_scripts.ground.preprocessing import Preprocessing
from workflow_scripts.ground.seeds import seed_of
from workflow_scripts.ground.shards import ImageSet, load_image_set

Decode = Callable[[Part], DecodedImages]


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


def choice(sets: Sequence[ImageSet], *, base: Sequence[int] | None, shots: int | None, seed: int) -> Keep | None:
    """Return which images are trained on, or None for all.

    Shots are drawn per class and domain from the training part with the run's seed; the held-out part is not reduced.

    Raises:
        InputError: a class of a domain has fewer images than shots.
    """
    if base is None and shots is None:
        return None
    labels = None if base is None else frozenset(base)
    drawn = None if shots is None else [_shots(images, shots, seed=seed, labels=labels) for images in sets]

    def keep(domain: int, label: int, index: int) -> bool:
        if labels is not None and label not in labels:
            return False
        return drawn is None or sets[domain].is_held_out(label, index) or (label, index) in drawn[domain]

    return keep


def _shots(images: ImageSet, shots: int, *, seed: int, labels: frozenset[int] | None) -> frozenset[tuple[int, int]]:
    indices: dict[int, list[int]] = {}
    for row in images.rows(("label", "index")):
        if (labels is None or row["label"] in labels) and not images.is_held_out(row["label"], row["index"]):
            indices.setdefault(row["label"], []).append(row["index"])
    chosen = set()
    for label, found in sorted(indices.items()):
        if len(found) < shots:
            name = images.classes[label]
            raise InputError(f"{images.manifest}: class {name!r} has {len(found)} training images, not {shots} shots")
        generator = np.random.default_rng(seed_of("shots", images.domain, label, seed))
        chosen |= {(label, int(index)) for index in generator.permutation(sorted(found))[:shots]}
    return frozenset(chosen)


def decoder(sets: Sequence[ImageSet], *, preprocessing: Preprocessing, keep: Keep | None, threads: int) -> Decode:
    """Return a function that decodes one part of the chosen images."""

    def decoded(part: Part) -> DecodedImages:
        return decode_image_sets(
            sets, size=preprocessing.size, geometry=preprocessing.geometry, part=part, keep=keep, threads=threads
        )

    return decoded


def class_rows(classes: int, base: Sequence[int] | None) -> torch.Tensor:
    """Return each label's row among the trained classes (classes), -1 where it is not trained on."""
    if base is None:
        return torch.arange(classes)
    rows = torch.full((classes,), -1)
    rows[torch.tensor(list(base))] = torch.arange(len(base))
    return rows
