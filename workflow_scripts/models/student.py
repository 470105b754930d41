"""Supervised training of a small student on categories: what ImageNet's labels are to a real student."""

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
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.models.augmentation import varied
from workflow_scripts.models.captions import coarse_category
from workflow_scripts.models.corpus import endless_batches
from workflow_scripts.models.one_cycle import one_cycle
from workflow_scripts.models.settings import PretrainStudent, TimmNetwork

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CategorizedImages:
    """Decoded images, the category of each, and the categories' names."""

    images: DecodedImages
    category: Tensor
    names: tuple[str, ...]


def student_architecture(settings: PretrainStudent) -> tuple[str, dict[str, Any]]:
    """Return what timm calls the student, and its arguments."""
    network = settings.network
    if isinstance(network, TimmNetwork):
        return network.architecture, {}
    return "vit_tiny_patch16_224", {
        "img_size": settings.image_size,
        "patch_size": network.patch_size,
        "embed_dim": network.width,
        "depth": network.layers,
        "num_heads": network.attention_heads,
    }


def student_config(settings: PretrainStudent, model: nn.Module, *, categories: Sequence[str]) -> dict[str, Any]:
    """Return what timm's `config.json` of the student holds.

    Args:
        settings: how it was made.
        model: the network, which says where its first convolution and its classifier are.
        categories: what its outputs stand for.
    """
    architecture, arguments = student_architecture(settings)
    own: Any = model.pretrained_cfg
    size = settings.image_size
    return {
        "architecture": architecture,
        "num_classes": len(categories),
        "num_features": model.num_features,
        "label_names": list(categories),
        "model_args": arguments,
        "pretrained_cfg": {
            "input_size": [3, size, size],
            "mean": list(IMAGENET_MEAN),
            "std": list(IMAGENET_STD),
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "num_classes": len(categories),
            "pool_size": None,
            "first_conv": own["first_conv"],
            "classifier": own["classifier"],
        },
    }


def read_categorized(manifests: Sequence[Path], settings: PretrainStudent) -> CategorizedImages:
    """Choose, decode and categorize the student's images.

    Raises:
        InputError: the data set has no broad categories where these are asked for, or a picture is damaged.
    """
    sets = [load_image_set(manifest) for manifest in manifests]
    dataset_kind = str(read_manifest(manifests[0]).get("provenance", {}).get("dataset_kind", ""))
    categories: list[str | None] = list(sets[0].classes)
    if settings.corpus.categories == "broad":
        categories = [coarse_category(dataset_kind, name) for name in sets[0].classes]
    names = tuple(sorted({name for name in categories if name is not None}))
    if None in categories or len(names) < _MIN_CATEGORIES:
        raise InputError(
            f"student: data set {settings.corpus.dataset!r} has no built-in broad categories to learn; "
            "set categories to 'classes', or use a student of kind hub or folder"
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


def fresh_student(settings: PretrainStudent, *, categories: int) -> nn.Module:
    """Return an untrained student.

    Raises:
        InputError: timm knows no such network.
    """
    architecture, arguments = student_architecture(settings)
    if ":" in architecture:
        raise InputError(f"student: architecture {architecture!r} names a hub; use a plain architecture of timm")
    try:
        model: nn.Module = timm.create_model(architecture, pretrained=False, num_classes=categories, **arguments)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"student: timm cannot build {architecture!r} ({reason}); `timm.list_models()` has all"
        ) from None
    return model


def train_student(settings: PretrainStudent, data: CategorizedImages, *, device: torch.device) -> nn.Module:
    """Train a student with AdamW and a cosine; return it in evaluation mode on the CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = fresh_student(settings, categories=len(data.names))
    model.to(device).train()
    preprocessing = Preprocessing(size=settings.image_size, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    steps = settings.epochs * (len(data.images) // settings.batch_size)
    schedule = one_cycle(optimizer, peak=settings.learning_rate, steps=steps)
    seen, draw = settings.corpus, torch.Generator().manual_seed(seed_of("augmentation", settings.seed))
    batches = endless_batches(len(data.images), settings.batch_size, steps=steps, seed=settings.seed)
    for step, numbers in enumerate(progress(batches, what="training student", total=steps)):
        pixels = unit_pixels(torch.from_numpy(data.images.pixels[numbers.numpy()]), torch.device("cpu"))
        pixels = varied(pixels, max_shift=seen.max_shift, flips=seen.flips, generator=draw).to(device)
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
