"""Shard rows of real images, of whatever kind of data set."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import decode_rgb, encode_png, verify_pixels
from workflow_scripts.common.shards import ImageRow
from workflow_scripts.real_images.pictures import Pixels
from workflow_scripts.real_images.prepared import prepared_pictures
from workflow_scripts.real_images.settings import RealShardJob


def real_rows(
    settings: RealShardJob[Any], classes: Sequence[str], *, prepared: Path | None = None
) -> Iterator[ImageRow]:
    """Yield the rows of one shard: the pictures of a source in a domain are cut into contiguous blocks.

    Args:
        settings: the job's.
        classes: class names in label order.
        prepared: table of prepared pictures, if the kind of data set has one.

    Raises:
        InputError: the pictures cannot be had or read, or do not fit the class names.
    """
    pictures = (
        settings.images.pictures(settings.source, settings.domain, tuple(classes))
        if prepared is None
        else prepared_pictures(prepared, source=settings.source, domain=settings.domain)
    )
    labels = np.asarray(pictures.labels).tolist()
    if not all(isinstance(label, int) and 0 <= label < len(classes) for label in set(labels)):
        given = f"labels from {min(labels)} to {max(labels)}, but {len(classes)} class names"
        raise InputError(f"dataset {settings.dataset!r}: {given}; a label is the number of a name, from 0")
    shards = settings.images.shards
    block = range(len(labels) * settings.shard // shards, len(labels) * (settings.shard + 1) // shards)
    seen = Counter(labels[: block.start])
    for number, picture in zip_longest(block, pictures.read(block)):
        if number is None or picture is None:
            raise InputError(f"dataset {settings.dataset!r}: {len(block)} pictures were asked for, more or fewer read")
        label, image_id = labels[number], pictures.image_id(number)
        yield ImageRow(
            image=_encoded(picture, name=image_id if pictures.path is None else pictures.path(number)),
            label=label,
            class_name=classes[label],
            domain=settings.domain,
            index=seen[label],
            image_id=image_id,
            credit=None if pictures.credit is None else pictures.credit(number),
        )
        seen[label] += 1


def _encoded(picture: bytes | Pixels, *, name: str) -> bytes:
    # Damage is found here, by its name, and not in a training.
    if isinstance(picture, bytes):
        decode_rgb(picture, name=name)
        return picture
    verify_pixels(picture, name=name)
    return encode_png(picture)
