"""The files of checkpoints and exports, by name: what rules declare, what trainings write and what loaders look for."""

from collections.abc import Mapping
from typing import Any

OPEN_CLIP_CONFIG = "open_clip_config.json"
OPEN_CLIP_WEIGHTS = "open_clip_model.safetensors"
CLIP_FILES = (OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS)
"""A CLIP in open_clip's format."""

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
"""A tokenizer of a model's own, as transformers saves it."""

TIMM_CONFIG = "config.json"
TIMM_WEIGHTS = "model.safetensors"
STUDENT_FILES = (TIMM_CONFIG, TIMM_WEIGHTS)
"""A student in timm's format."""

AUTOENCODER_CONFIG = "vae/config.json"
AUTOENCODER_WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
AUTOENCODER_FILES = (AUTOENCODER_CONFIG, AUTOENCODER_WEIGHTS)

PIPELINE_INDEX = "model_index.json"
_AROUND_THE_DENOISER = (
    PIPELINE_INDEX,
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    *(f"tokenizer/{name}" for name in TOKENIZER_FILES),
)
PIPELINE_FILES = (*_AROUND_THE_DENOISER, "unet/config.json", "unet/diffusion_pytorch_model.safetensors")
"""A diffusers pipeline of Stable Diffusion's kind, beside its autoencoder."""
TRANSFORMER_PIPELINE_FILES = (
    *_AROUND_THE_DENOISER,
    "transformer/config.json",
    "transformer/diffusion_pytorch_model.safetensors",
)
"""One of PixArt's kind, beside its autoencoder."""


def pipeline_components(index: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the components that a pipeline's index names, as [library, class]; null is one that it goes without."""
    return {name: entry for name, entry in index.items() if isinstance(entry, list) and entry != [None, None]}


EXPORT_HEAD = "head.safetensors"
EXPORT_CLASSES = "classes.json"
EXPORT_FILES = (*CLIP_FILES, EXPORT_HEAD, EXPORT_CLASSES)
"""A CLIP with interpolated weights, its head and its class names."""
