"""Shard rows of real images, of whatever kind of data set."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import decode_rgb, encode_png
from workflow_scripts.common.shards import ImageRow
from workflow_scripts.real_images.settings import RealShardJob


def real_rows(settings: RealShardJob[Any], classes: Sequence[str]) -> Iterator[ImageRow]:
    """Yield the rows of one shard: the pictures of a source in a domain are cut into contiguous blocks.

    Raises:
        InputError: the pictures cannot be had or read, or do not fit the class names.
    """
    pictures = settings.images.pictures(settings.source, settings.domain, tuple(classes))
    labels = pictures.labels.tolist()
    if max(labels, default=0) >= len(classes):
        raise InputError(f"dataset {settings.dataset!r}: {max(labels) + 1} classes, but {len(classes)} class names")
    shards = settings.images.shards
    block = range(len(labels) * settings.shard // shards, len(labels) * (settings.shard + 1) // shards)
    seen = Counter(labels[: block.start])
    for number, picture in zip(block, pictures.read(block), strict=True):
        label, image_id = labels[number], pictures.image_id(number)
        if isinstance(picture, bytes):
            # Damage is found here, by its name, and not in a training.
            decode_rgb(picture, name=image_id if pictures.path is None else pictures.path(number))
        yield ImageRow(
            image=picture if isinstance(picture, bytes) else encode_png(picture),
            label=label,
            class_name=classes[label],
            domain=settings.domain,
            index=seen[label],
            image_id=image_id,
        )
        seen[label] += 1
