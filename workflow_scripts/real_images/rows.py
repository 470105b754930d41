"""Shard rows of real images, from built-in data sets and from folders."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import decode_rgb, encode_png
from workflow_scripts.common.shards import ImageRow
from workflow_scripts.real_images.builtin_images import read_builtin_images
from workflow_scripts.real_images.domains import in_domain
from workflow_scripts.real_images.folders import class_folders, pictures_of, validate_folders
from workflow_scripts.real_images.settings import Digits, FashionMnist, ImageFolders, NoImages, RealShardJob


def real_rows(settings: RealShardJob, classes: Sequence[str]) -> Iterator[ImageRow]:
    """Yield the rows of one shard: the pictures of a source in a domain are cut into contiguous blocks.

    Raises:
        InputError: the data cannot be had or read, or does not fit the class names.
    """
    images = settings.images
    if isinstance(images, NoImages):
        raise InputError(f"dataset {settings.dataset!r} has no real images")
    if isinstance(images, ImageFolders):
        return _folder_rows(images, settings, classes)
    return _builtin_rows(images, settings, classes)


def _block(total: int, *, shard: int, shards: int) -> range:
    return range(total * shard // shards, total * (shard + 1) // shards)


def _builtin_rows(images: FashionMnist | Digits, settings: RealShardJob, classes: Sequence[str]) -> Iterator[ImageRow]:
    pictures, labels = read_builtin_images(images, settings.source)
    if int(labels.max()) >= len(classes):
        raise InputError(
            f"dataset {settings.dataset!r}: {int(labels.max()) + 1} classes, but {len(classes)} class names"
        )
    block = _block(len(labels), shard=settings.shard, shards=images.shards)
    domain = next(name for name in images.domains if name == settings.domain)
    shown = in_domain(pictures[block.start : block.stop], domain)
    seen = Counter(labels[: block.start].tolist())
    for offset, number in enumerate(block):
        label = int(labels[number])
        yield ImageRow(
            image=encode_png(shown[offset]),
            label=label,
            class_name=classes[label],
            domain=domain,
            index=seen[label],
            image_id=f"{settings.source}/{number}",
        )
        seen[label] += 1


def _folder_rows(images: ImageFolders, settings: RealShardJob, classes: Sequence[str]) -> Iterator[ImageRow]:
    root = Path((images.train if settings.source == REAL_TRAIN else images.test)[settings.domain])
    validate_folders(root, classes)
    folders = class_folders(root)
    files = [
        (label, index, path)
        for label, name in enumerate(classes)
        for index, path in enumerate(pictures_of(folders[name]))
    ]
    for number in _block(len(files), shard=settings.shard, shards=images.shards):
        label, index, path = files[number]
        content = path.read_bytes()
        decode_rgb(content, name=str(path))
        yield ImageRow(
            image=content,
            label=label,
            class_name=classes[label],
            domain=settings.domain,
            index=index,
            image_id=f"{settings.domain}/{path.relative_to(root)}",
        )
