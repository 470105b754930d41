"""Loading a text-to-image checkpoint and fitting the settings to what its pipeline can do."""

import inspect
import logging
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoPipelineForText2Image

from workflow_scripts.generation.settings import Drawing
from workflow_scripts.ground.devices import DTYPES
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.manifests import checked_model_folder, read_manifest

logger = logging.getLogger(__name__)

SCHEDULERS: dict[str, type[Any]] = {
    "ddim": diffusers.DDIMScheduler,
    "ddpm": diffusers.DDPMScheduler,
    "dpm++": diffusers.DPMSolverMultistepScheduler,
    "euler": diffusers.EulerDiscreteScheduler,
    "euler-ancestral": diffusers.EulerAncestralDiscreteScheduler,
    "flow-match-euler": diffusers.FlowMatchEulerDiscreteScheduler,
    "heun": diffusers.HeunDiscreteScheduler,
    "lcm": diffusers.LCMScheduler,
    "pndm": diffusers.PNDMScheduler,
    "unipc": diffusers.UniPCMultistepScheduler,
}

_FLOW_MATCHING = ("flow-match-euler",)


def load_pipeline(manifest: Path, settings: Drawing, *, device: torch.device) -> Any:
    """Load the checkpoint that a manifest names, with the sampler and precision of the settings.

    Only safetensors are read, only from the manifest's folder, and no code that comes with a checkpoint is run.

    Raises:
        InputError: a file is missing or damaged, diffusers knows no text-to-image pipeline for the checkpoint, or the
            sampler does not fit it.
    """
    folder = checked_model_folder(manifest)
    options: dict[str, Any] = {"variant": read_manifest(manifest)["origin"].get("variant")}
    if not settings.safety_checker:
        options["safety_checker"] = None
    try:
        pipeline = AutoPipelineForText2Image.from_pretrained(
            folder, dtype=DTYPES[settings.dtype], use_safetensors=True, local_files_only=True, **options
        )
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: diffusers cannot load it as a text-to-image pipeline ({error})") from None
    if settings.scheduler is not None:
        pipeline.scheduler = _scheduler(pipeline, settings.scheduler)
    pipeline.set_progress_bar_config(disable=True)
    check_settings(pipeline, settings)
    return pipeline.to(device)


def _scheduler(pipeline: Any, name: str) -> Any:
    flow = "FlowMatch" in type(pipeline.scheduler).__name__
    if flow != (name in _FLOW_MATCHING):
        fitting = _FLOW_MATCHING if flow else [other for other in SCHEDULERS if other not in _FLOW_MATCHING]
        raise InputError(f"scheduler: {name!r} does not fit {type(pipeline).__name__} (fitting: {', '.join(fitting)})")
    return SCHEDULERS[name].from_config(pipeline.scheduler.config)


def accepted(pipeline: Any) -> frozenset[str]:
    """Return the names of the arguments that a pipeline's call takes."""
    return frozenset(inspect.signature(type(pipeline).__call__).parameters)


def check_settings(pipeline: Any, settings: Drawing) -> None:
    """Refuse settings that the pipeline would not heed.

    Raises:
        InputError: a key that is set has no counterpart in the pipeline's call.
    """
    names = accepted(pipeline)
    if settings.negative_prompt is not None and "negative_prompt" not in names:
        raise InputError(f"negative_prompt: {type(pipeline).__name__} takes none; remove the key")
    if settings.negative_prompt is not None and settings.guidance_scale <= 1.0:
        raise InputError("negative_prompt: has no effect without guidance; set guidance_scale above 1 or remove it")
    if settings.size is not None and "height" not in names:
        raise InputError(f"size: {type(pipeline).__name__} draws one size only; remove the key")
