"""Supervised training of a small student on broad categories: what ImageNet's labels are to a real student."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.images import DecodedImages, decode_image_sets
from workflow_scripts.ground.logs import progress
from workflow_scripts.ground.manifests import read_manifest
from workflow_scripts.ground.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing, unit_pixels
from workflow_scripts.ground.shards import load_image_set
from workflow_scripts.models.captions import coarse_category
from workflow_scripts.models.corpus import endless_batches
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.settings import EmbeddedStudent

logger = logging.getLogger(__name__)

ARCHITECTURE = "vit_tiny_patch16_224"


@dataclass(frozen=True)
class CategorisedImages:
    """Decoded images, the category of each, and the categories' names."""

    images: DecodedImages
    category: Tensor
    names: tuple[str, ...]


def student_arguments(settings: EmbeddedStudent) -> dict[str, Any]:
    """Return timm's arguments of the student."""
    return {
        "img_size": settings.image_size,
        "patch_size": settings.patch_size,
        "embed_dim": settings.width,
        "depth": settings.layers,
        "num_heads": settings.heads,
    }


def student_config(settings: EmbeddedStudent, *, categories: int) -> dict[str, Any]:
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


def read_categorised(manifests: Sequence[Path], settings: EmbeddedStudent) -> CategorisedImages:
    """Choose, decode and categorise the student's images.

    Raises:
        InputError: the data set has no broad categories, or a picture is damaged.
    """
    sets = [load_image_set(manifest) for manifest in manifests]
    data_set = str(read_manifest(manifests[0]).get("provenance", {}).get("data_set", ""))
    found = [coarse_category(data_set, name) for name in sets[0].classes]
    names = tuple(sorted({name for name in found if name is not None}))
    if None in found or len(names) < _FEWEST:
        raise InputError(
            f"student: data set {settings.corpus.dataset!r} has no built-in broad categories to learn; "
            "use a student of kind hub or folder"
        )
    view = Preprocessing(size=settings.image_size, mean=IMAGENET_MEAN, std=IMAGENET_STD, resize_mode="squash")
    # The first images of every class of every domain: as many of each, and no picture is decoded in vain.
    most = max(1, settings.corpus.images // (len(sets) * len(sets[0].classes)))
    images = decode_image_sets(
        sets, size=view.size, geometry=view.geometry, keep=lambda _domain, _label, index: index < most
    )
    places = torch.tensor([names.index(str(name)) for name in found])
    return CategorisedImages(images, places[torch.from_numpy(images.labels)], names)


_FEWEST = 2


def train_student(settings: EmbeddedStudent, data: CategorisedImages, *, device: torch.device) -> nn.Module:
    """Train a student with AdamW and a cosine; return it in evaluation mode on the CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model: nn.Module = timm.create_model(
            ARCHITECTURE, pretrained=False, num_classes=len(data.names), **student_arguments(settings)
        )
    model.to(device).train()
    view = Preprocessing(size=settings.image_size, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    steps = settings.epochs * (len(data.images) // settings.batch_size)
    schedule = one_cycle(optimiser, peak=settings.learning_rate, steps=steps)
    batches = endless_batches(len(data.images), settings.batch_size, steps=steps, seed=settings.seed)
    for step, numbers in enumerate(progress(batches, what="training student", total=steps)):
        pixels = unit_pixels(torch.from_numpy(data.images.pixels[numbers.numpy()]), device)
        logits = model(view.normalise(pixels))
        loss = nn.functional.cross_entropy(logits, data.category[numbers].to(device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            accuracy = float((logits.argmax(dim=-1).cpu() == data.category[numbers]).float().mean())
            logger.info("step %d of %d: loss %.4f, accuracy %.4f", step, steps, loss.item(), accuracy)
    return model.eval().cpu()
