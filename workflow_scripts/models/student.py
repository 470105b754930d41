"""Supervised training of a small student on broad categories: what ImageNet's labels are to a real student."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from workflow_scripts.common.devices import repeatable_backward
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import DecodedImages, decode_image_sets
from workflow_scripts.common.logs import progress
from workflow_scripts.common.manifests import read_manifest
from workflow_scripts.common.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing, unit_pixels
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.models.captions import coarse_category
from workflow_scripts.models.corpus import endless_batches
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.settings import PretrainStudent

logger = logging.getLogger(__name__)

ARCHITECTURE = "vit_tiny_patch16_224"


@dataclass(frozen=True)
class CategorizedImages:
    """Decoded images, the category of each, and the categories' names."""

    images: DecodedImages
    category: Tensor
    names: tuple[str, ...]


def student_arguments(settings: PretrainStudent) -> dict[str, Any]:
    """Return timm's arguments of the student."""
    return {
        "img_size": settings.image_size,
        "patch_size": settings.patch_size,
        "embed_dim": settings.width,
        "depth": settings.layers,
        "num_heads": settings.attention_heads,
    }


def student_config(settings: PretrainStudent, *, categories: int) -> dict[str, Any]:
    """Return what timm's `config.json` of the student holds."""
    size = settings.image_size
    return {
        "architecture": ARCHITECTURE,
        "num_classes": categories,
        "num_features": settings.width,
        "model_args": student_arguments(settings),
        "pretrained_cfg": {
            "input_size": [3, size, size],
            "mean": list(IMAGENET_MEAN),
            "std": list(IMAGENET_STD),
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "num_classes": categories,
            "pool_size": None,
            "first_conv": "patch_embed.proj",
            "classifier": "head",
        },
    }


def read_categorized(manifests: Sequence[Path], settings: PretrainStudent) -> CategorizedImages:
    """Choose, decode and categorize the student's images.

    Raises:
        InputError: the data set has no broad categories, or a picture is damaged.
    """
    sets = [load_image_set(manifest) for manifest in manifests]
    dataset_kind = str(read_manifest(manifests[0]).get("provenance", {}).get("dataset_kind", ""))
    categories = [coarse_category(dataset_kind, name) for name in sets[0].classes]
    names = tuple(sorted({name for name in categories if name is not None}))
    if None in categories or len(names) < _MIN_CATEGORIES:
        raise InputError(
            f"student: data set {settings.corpus.dataset!r} has no built-in broad categories to learn; "
            "use a student of kind hub or folder"
        )
    preprocessing = Preprocessing(size=settings.image_size, mean=IMAGENET_MEAN, std=IMAGENET_STD, resize_mode="squash")
    # The first images of every class of every domain: as many of each, and no picture is decoded in vain.
    per_class = max(1, settings.corpus.images // (len(sets) * len(sets[0].classes)))
    images = decode_image_sets(
        sets,
        size=preprocessing.size,
        geometry=preprocessing.geometry,
        predicate=lambda _domain, _label, index: index < per_class,
    )
    category_index = torch.tensor([names.index(str(name)) for name in categories])
    return CategorizedImages(images, category_index[torch.from_numpy(images.labels)], names)


_MIN_CATEGORIES = 2


def train_student(settings: PretrainStudent, data: CategorizedImages, *, device: torch.device) -> nn.Module:
    """Train a student with AdamW and a cosine; return it in evaluation mode on the CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model: nn.Module = timm.create_model(
            ARCHITECTURE, pretrained=False, num_classes=len(data.names), **student_arguments(settings)
        )
    model.to(device).train()
    preprocessing = Preprocessing(size=settings.image_size, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    steps = settings.epochs * (len(data.images) // settings.batch_size)
    schedule = one_cycle(optimizer, peak=settings.learning_rate, steps=steps)
    batches = endless_batches(len(data.images), settings.batch_size, steps=steps, seed=settings.seed)
    for step, numbers in enumerate(progress(batches, what="training student", total=steps)):
        pixels = unit_pixels(torch.from_numpy(data.images.pixels[numbers.numpy()]), device)
        logits = model(preprocessing.normalize(pixels))
        loss = nn.functional.cross_entropy(logits, data.category[numbers].to(device))
        optimizer.zero_grad(set_to_none=True)
        repeatable_backward(loss)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            accuracy = float((logits.argmax(dim=-1).cpu() == data.category[numbers]).float().mean())
            logger.info("step %d of %d: loss %.4f, accuracy %.4f", step, steps, loss.item(), accuracy)
    return model.eval().cpu()
