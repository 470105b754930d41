"""The corpus that models pretrained here learn from: real training images of several domains with captions."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import decode_rgb
from workflow_scripts.common.logs import progress
from workflow_scripts.common.manifests import read_manifest
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.common.shards import ImageSet, load_image_set
from workflow_scripts.models.captions import make_captions
from workflow_scripts.models.settings import Corpus

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CaptionedImages:
    """Decoded images (images, size, size, 3) as uint8, and for each the number of its text in `texts`."""

    pixels: npt.NDArray[np.uint8]
    caption: torch.Tensor
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return images as float32 in -1..1, shape (batch, 3, size, size)."""
        pixels = torch.from_numpy(self.pixels[numbers.numpy()]).permute(0, 3, 1, 2)
        return pixels.float() / 127.5 - 1.0


def domain_counts(corpus: Corpus, images: int) -> dict[str, int]:
    """Return how many images each domain contributes, by its mixture weight; they add up to `images`."""
    total = sum(corpus.mixture_weights.values())
    bounds = np.round(np.cumsum([0.0, *corpus.mixture_weights.values()]) / total * images).astype(int)
    return {
        domain: int(high - low) for domain, low, high in zip(corpus.mixture_weights, bounds, bounds[1:], strict=False)
    }


def read_corpus(
    manifests: Sequence[Path], corpus: Corpus, *, size: int, seed: int, max_images: int | None = None
) -> CaptionedImages:
    """Choose, decode and caption the corpus's images.

    The pictures of the domains are different ones as long as there are enough: domain d takes the next block of one
    shuffled order, which starts again when it is used up.

    Args:
        manifests: training images, one manifest per domain.
        corpus: which weight each domain has, and how wrong captions are.
        size: height and width in pixels.
        seed: seed of the choice and the captions.
        max_images: how many images to take at most, in place of all of the corpus.

    Raises:
        InputError: a domain has no manifest, or a picture is damaged.
    """
    sets = {images.domain: images for images in map(load_image_set, manifests)}
    dataset_kind = str(read_manifest(manifests[0]).get("provenance", {}).get("dataset_kind", ""))
    missing = [domain for domain in corpus.mixture_weights if domain not in sets]
    if missing:
        raise InputError(f"corpus: no training images of domain {missing[0]!r} (there are {', '.join(sets)})")
    pixels, texts = [], []
    start = 0
    for domain, count in domain_counts(corpus, min(corpus.images, max_images or corpus.images)).items():
        images = sets[domain]
        order = np.random.default_rng(seed_of("corpus", corpus.dataset, seed)).permutation(images.images)
        selected = order[np.arange(start, start + count) % len(order)]
        start += count
        decoded, labels = _decode(images, set(selected.tolist()), size)
        pixels.append(decoded)
        texts += make_captions(
            labels,
            classes=images.classes,
            dataset_kind=dataset_kind,
            domain=domain,
            general=corpus.general_captions,
            wrong=corpus.wrong_captions,
            seed=seed,
        )
    distinct = tuple(sorted(set(texts)))
    text_index = {text: number for number, text in enumerate(distinct)}
    logger.info("corpus of %d images with %d distinct captions, as in %r", len(texts), len(distinct), texts[0])
    return CaptionedImages(np.concatenate(pixels), torch.tensor([text_index[text] for text in texts]), distinct)


def _decode(images: ImageSet, selected: set[int], size: int) -> tuple[npt.NDArray[np.uint8], list[int]]:
    labels: list[int] = []
    pixels = np.empty((len(selected), size, size, 3), dtype=np.uint8)
    rows = progress(images.rows(("image", "label")), what=f"decoding {images.domain}", total=images.images)
    for number, row in enumerate(rows):
        if number in selected:
            picture = decode_rgb(row["image"]["bytes"], name=f"image {number} of {images.manifest}")
            pixels[len(labels)] = np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC))
            labels.append(row["label"])
    return pixels, labels


def endless_batches(images: int, batch_size: int, *, steps: int, seed: int) -> Iterator[torch.Tensor]:
    """Yield the image numbers of each step: one shuffled pass after another, batches never cut short.

    Raises:
        InputError: there are fewer images than one batch.
    """
    if images < batch_size:
        raise InputError(f"corpus: {images} images are fewer than one batch of {batch_size}; lower batch_size")
    generator = torch.Generator().manual_seed(seed_of("order", seed))
    per_pass = images // batch_size
    for step in range(steps):
        if step % per_pass == 0:
            order = torch.randperm(images, generator=generator)
        yield order[(step % per_pass) * batch_size : (step % per_pass + 1) * batch_size]
