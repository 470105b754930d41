"""A tiny CLIP made in code, and images for it."""

from pathlib import Path

import numpy as np
import torch
from open_clip.model import CLIP

from workflow_scripts.common.checkpoint_files import CLIP_FILES, OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS
from workflow_scripts.common.clip import Clip, load_clip
from workflow_scripts.common.files import write_json
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.manifests import write_model_manifest
from workflow_scripts.common.weights import save_weights
from workflow_scripts.models.contrastive import clip_config
from workflow_scripts.models.settings import Corpus, PretrainClip, VisionTransformer
from workflow_scripts.training.image_selection import SeenImages, label_rows

CPU = torch.device("cpu")
CLASSES = ("cat", "dog", "hamster", "horse", "cow", "red panda")


def tiny_settings(*, image_size: int = 8) -> PretrainClip:
    corpus = Corpus(kind="images", dataset="digits", images=1, mixture_weights={"photo": 1.0})
    return PretrainClip(
        kind="pretrain",
        corpus=corpus,
        image_size=image_size,
        vision=VisionTransformer(kind="vit", patch_size=image_size // 2, width=16, layers=1, attention_heads=2),
        text_width=16,
        text_layers=1,
        text_attention_heads=2,
        dimension=16,
    )


def write_clip(folder: Path, *, image_size: int = 8) -> Path:
    """Write a CLIP with random weights and return its manifest."""
    config = clip_config(tiny_settings(image_size=image_size))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = CLIP(**config["model_cfg"])
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / OPEN_CLIP_CONFIG, config)
    save_weights(folder / OPEN_CLIP_WEIGHTS, model.state_dict())
    manifest = folder / "manifest.json"
    write_model_manifest(manifest, folder=folder, names=list(CLIP_FILES), origin={"kind": "test"})
    return manifest


def tiny_clip(folder: Path) -> Clip:
    """Return a CLIP with random weights, frozen."""
    clip = load_clip(write_clip(folder), device=CPU)
    clip.model.requires_grad_(False)
    return clip


def tiny_images(count: int, *, classes: int = 3, domains: int = 2) -> DecodedImages:
    """Return random images of 8 x 8 pixels, labels and domains in turn."""
    generator = np.random.default_rng(0)
    return DecodedImages(
        pixels=generator.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8),
        labels=np.arange(count) % classes,
        index=np.arange(count) // classes,
        domain=np.arange(count) % domains,
        image_id=tuple(map(str, range(count))),
        domains=tuple(f"domain{number}" for number in range(domains)),
        classes=CLASSES,
        left_out=0,
    )


def tiny_seen(*, trained: int = 12, held_out: int = 6, base: tuple[int, ...] | None = None) -> SeenImages:
    """Return random images to train on and others to validate with."""
    return SeenImages(
        training=tiny_images(trained), held_out=tiny_images(held_out), label_rows=label_rows(len(CLASSES), base)
    )


def bits(module: torch.nn.Module) -> bytes:
    """Return all tensors of a module as bytes."""
    return b"".join(tensor.detach().numpy().tobytes() for tensor in module.state_dict().values())
