"""The corpus that models pretrained here learn from: real training images of several domains with captions."""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import decode_rgb
from workflow_scripts.common.logs import progress
from workflow_scripts.common.manifests import read_manifest
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.common.shards import ImageSet, load_image_set
from workflow_scripts.models.augmentation import varied
from workflow_scripts.models.captions import make_captions
from workflow_scripts.models.settings import AnyCorpus, Corpus, PreparedCorpus
from workflow_scripts.real_images.prepared import OTHER, read_prepared

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CaptionedImages:
    """Decoded images with captions, and how an epoch draws them."""

    pixels: npt.NDArray[np.uint8]
    """(images, size, size, 3)."""
    caption: torch.Tensor
    """Numbers of the texts that each image may be called, (images, choices)."""
    texts: tuple[str, ...]
    draws: int
    """Images of one epoch."""
    weights: torch.Tensor | None = None
    """How often each image is drawn, (images), relative to the others; None: each once in an epoch."""
    max_shift: int = 0
    """Largest shift of a drawn image along each axis, in pixels; white comes in."""
    flips: bool = False
    """Whether half of the drawn images are mirrored."""

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return images as they are, as float32 in -1..1, shape (batch, 3, size, size)."""
        pixels = torch.from_numpy(self.pixels[numbers.numpy()]).permute(0, 3, 1, 2)
        return pixels.float() / 127.5 - 1.0

    def drawn(self, numbers: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return images as a training draws them: shifted and mirrored, if the corpus says so."""
        return varied(self.batch(numbers), max_shift=self.max_shift, flips=self.flips, generator=generator)

    def captions(self, numbers: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the number of one text of each image, (batch)."""
        choices = self.caption.shape[1]
        if choices == 1:
            return self.caption[numbers, 0]
        return self.caption[numbers, torch.randint(0, choices, (len(numbers),), generator=generator)]


def domain_counts(corpus: Corpus, images: int) -> dict[str, int]:
    """Return how many images each domain contributes, by its mixture weight; they add up to `images`."""
    total = sum(corpus.mixture_weights.values())
    bounds = np.round(np.cumsum([0.0, *corpus.mixture_weights.values()]) / total * images).astype(int)
    return {
        domain: int(high - low) for domain, low, high in zip(corpus.mixture_weights, bounds, bounds[1:], strict=False)
    }


def read_corpus(
    files: Sequence[Path], corpus: AnyCorpus, *, size: int, seed: int, max_images: int | None = None
) -> CaptionedImages:
    """Choose, decode and caption a corpus's images.

    Args:
        files: training images, one manifest per domain; or the one table of prepared pictures.
        corpus: what is learned from.
        size: height and width in pixels.
        seed: seed of the choice and the captions.
        max_images: how many images to take at most, where as many are chosen at random.

    Raises:
        InputError: a domain has no images, or a picture is damaged.
    """
    if isinstance(corpus, PreparedCorpus):
        return read_prepared_corpus(files[0], corpus, size=size)
    return _read_images(files, corpus, size=size, seed=seed, max_images=max_images)


def read_prepared_corpus(table: Path, corpus: PreparedCorpus, *, size: int) -> CaptionedImages:
    """Decode and caption every picture of the domains that have captions.

    Raises:
        InputError: a domain has no picture, or the table is damaged.
    """
    whole = read_prepared(table, source=REAL_TRAIN)
    domains, labels = np.array(whole["domain"].to_pylist()), whole["label"].to_numpy()
    wanted = np.isin(domains, list(corpus.captions)) & ((labels != OTHER) | (corpus.class_share < 1.0))
    if missing := [domain for domain in corpus.captions if domain not in set(domains[wanted])]:
        raise InputError(f"{table}: no training picture of domain {missing[0]!r}, which corpus.captions names")
    chosen = np.flatnonzero(wanted)
    domains, labels = domains[chosen], labels[chosen]
    names = np.array(whole["name"].to_pylist())[chosen]
    pixels = np.empty((len(chosen), size, size, 3), dtype=np.uint8)
    for row, number in enumerate(progress(chosen, what="decoding corpus")):
        picture = decode_rgb(whole["image"][int(number)].as_py(), name=f"picture {number} of {table}")
        pixels[row] = np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC))
    caption, texts = _numbered_captions(names.tolist(), domains.tolist(), corpus.captions)
    logger.info("corpus of %d pictures under %d names, %d captions", len(chosen), len(set(names)), len(texts))
    return CaptionedImages(
        pixels,
        caption,
        texts,
        draws=corpus.draws,
        weights=draw_weights(names, domains, labels, class_share=corpus.class_share),
        max_shift=corpus.max_shift,
        flips=corpus.flips,
    )


def _numbered_captions(
    names: list[str], domains: list[str], templates: dict[str, tuple[str, ...]]
) -> tuple[torch.Tensor, tuple[str, ...]]:
    choices = math.lcm(*(len(lines) for lines in templates.values()))
    number: dict[str, int] = {}
    rows = []
    for name, domain in zip(names, domains, strict=True):
        lines = templates[domain]
        texts = [lines[choice % len(lines)].replace("{}", name) for choice in range(choices)]
        rows.append([number.setdefault(text, len(number)) for text in texts])
    return torch.tensor(rows), tuple(number)


def draw_weights(
    names: npt.NDArray[np.str_], domains: npt.NDArray[np.str_], labels: npt.NDArray[np.int64], *, class_share: float
) -> torch.Tensor:
    """Return how often each picture is drawn, (pictures); they add up to one.

    The share of the classes is spread evenly over them, and within one over its domains by the square roots of their
    counts; the rest over all other pictures, rarer names and domains more often, by the same rule.

    Args:
        names: what each picture is called, (pictures).
        domains: their domains, (pictures).
        labels: numbers of their classes, -1 for other names, (pictures).
        class_share: share of the classes; all of it where there is no other name.
    """
    is_class = labels != OTHER
    _, pair, pair_counts = np.unique(
        np.char.add(np.char.add(names, "|"), domains), return_inverse=True, return_counts=True
    )
    _, name, name_counts = np.unique(names, return_inverse=True, return_counts=True)
    _, domain, domain_counts_ = np.unique(domains, return_inverse=True, return_counts=True)
    within = 1.0 / np.sqrt(pair_counts[pair])
    totals = np.bincount(name, weights=within)
    by_class = within / totals[name] / max(1, len(set(labels[is_class].tolist())))
    others = 1.0 / np.sqrt(name_counts[name] * domain_counts_[domain])
    others = np.where(is_class, 0.0, others)
    if not others.any():
        return torch.from_numpy(by_class)
    if not is_class.any():
        return torch.from_numpy(others / others.sum())
    return torch.from_numpy(np.where(is_class, class_share * by_class, (1.0 - class_share) * others / others.sum()))


def _read_images(
    manifests: Sequence[Path], corpus: Corpus, *, size: int, seed: int, max_images: int | None
) -> CaptionedImages:
    """Choose, decode and caption a corpus of real training images.

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
    caption = torch.tensor([[text_index[text]] for text in texts])
    return CaptionedImages(np.concatenate(pixels), caption, distinct, draws=len(texts))


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


def batches_of(corpus: CaptionedImages, batch_size: int, *, steps: int, seed: int) -> Iterator[torch.Tensor]:
    """Yield the image numbers of each step: shuffled passes, or weighted draws with replacement.

    Raises:
        InputError: there are fewer images than one batch, where each is drawn once.
    """
    if corpus.weights is None:
        yield from endless_batches(len(corpus), batch_size, steps=steps, seed=seed)
        return
    generator = torch.Generator().manual_seed(seed_of("order", seed))
    for _ in range(steps):
        yield torch.multinomial(corpus.weights, batch_size, replacement=True, generator=generator)


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
