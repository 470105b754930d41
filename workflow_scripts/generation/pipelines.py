"""Loading a text-to-image checkpoint and fitting the settings to what its pipeline can do."""

import inspect
import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import diffusers
import torch
import transformers
from diffusers import AutoPipelineForText2Image
from safetensors import SafetensorError

from workflow_scripts.common.checkpoint_files import PIPELINE_INDEX, pipeline_components
from workflow_scripts.common.devices import DTYPES
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.manifests import read_manifest, verified_model_folder
from workflow_scripts.common.remote_code import read_configuration, refuse_remote_code
from workflow_scripts.generation.settings import Sampling

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

_LIBRARIES = {"diffusers": diffusers, "transformers": transformers}
_SAFE: dict[str, Any] = {"use_safetensors": True, "local_files_only": True}
_UNFIT = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError)
"""What both libraries raise on folders that are no pipelines."""
_SHOWN = 5

_FLOW_MATCHING = ("flow-match-euler",)


def load_pipeline(manifest: Path, settings: Sampling, *, device: torch.device) -> Any:
    """Load the checkpoint that a manifest names, with the sampler and precision of the settings.

    Only safetensors are read, only from the manifest's folder, and no code that comes with a checkpoint is run.

    Raises:
        InputError: a file is missing or damaged, diffusers knows no text-to-image pipeline for the checkpoint, or the
            sampler does not fit it.
    """
    folder = verified_model_folder(manifest)
    refuse_remote_code(folder)
    variant = read_manifest(manifest)["origin"].get("variant")
    models = load_models(folder, dtype=DTYPES[settings.dtype], variant=variant)
    if not settings.safety_checker:
        models["safety_checker"] = None
    try:
        pipeline = AutoPipelineForText2Image.from_pretrained(
            folder, dtype=DTYPES[settings.dtype], variant=variant, **_SAFE, **models
        )
    except _UNFIT as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{folder}: diffusers cannot load it as a text-to-image pipeline ({reason})") from None
    if settings.scheduler is not None:
        pipeline.scheduler = _scheduler(pipeline, settings.scheduler)
    pipeline.set_progress_bar_config(disable=True)
    validate_settings(pipeline, settings)
    return pipeline.to(device)


def load_models(folder: Path, *, dtype: torch.dtype, variant: str | None) -> dict[str, Any]:
    """Load each network of a pipeline's folder by itself, since the pipeline would fill what is missing with noise.

    Raises:
        InputError: a component is no class of diffusers or transformers, or its tensors are missing, extra or of
            another shape; they are named.
    """
    models = {}
    for name, entry in pipeline_components(read_configuration(folder / PIPELINE_INDEX)).items():
        kind = _class_of(entry, folder)
        if kind is not None and issubclass(kind, torch.nn.Module):
            models[name] = _load_model(kind, folder / name, dtype=dtype, variant=variant)
    return models


def _class_of(entry: list[Any], folder: Path) -> type[Any] | None:
    """Return the class of a component; None for those of one of diffusers' own pipelines (safety checkers)."""
    library, name = (*entry, None, None)[:2]
    if library not in _LIBRARIES:
        if str(library).isidentifier() and find_spec(f"diffusers.pipelines.{library}") is not None:
            return None
        raise InputError(
            f"{folder / PIPELINE_INDEX}: {entry} is no component of {' or '.join(_LIBRARIES)}; it is not loaded"
        )
    component = getattr(_LIBRARIES[library], str(name), None)
    if not isinstance(component, type):
        raise InputError(f"{folder / PIPELINE_INDEX}: {library} has no class {name!r}; get another checkpoint")
    return component


def _load_model(kind: type[Any], folder: Path, *, dtype: torch.dtype, variant: str | None) -> Any:
    # Components without a file of the variant are read as they are, as the pipeline does.
    own = variant if any(f".{variant}" in path.name for path in folder.glob("*.safetensors")) else None
    options: dict[str, Any] = {"dtype": dtype, "variant": own, "output_loading_info": True, **_SAFE}
    if issubclass(kind, transformers.PreTrainedModel):
        # Left to itself, transformers refuses another shape without a name; diffusers names it.
        options["ignore_mismatched_sizes"] = True
    try:
        model, loading_info = kind.from_pretrained(folder, **options)
    except _UNFIT as error:
        raise InputError(f"{folder}: weights do not fit: {' '.join(str(error).split())}") from None
    errors = [f"missing {name}" for name in sorted(loading_info["missing_keys"])]
    errors += [f"unexpected {name}" for name in sorted(loading_info["unexpected_keys"])]
    errors += [f"{name} has shape {list(has)}, not {list(fits)}" for name, has, fits in loading_info["mismatched_keys"]]
    if errors:
        more = f" and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
        raise InputError(f"{folder}: weights do not fit: {', '.join(errors[:_SHOWN])}{more}")
    return model


def _scheduler(pipeline: Any, name: str) -> Any:
    flow = "FlowMatch" in type(pipeline.scheduler).__name__
    if flow != (name in _FLOW_MATCHING):
        fitting = _FLOW_MATCHING if flow else [other for other in SCHEDULERS if other not in _FLOW_MATCHING]
        raise InputError(f"scheduler: {name!r} does not fit {type(pipeline).__name__} (fitting: {', '.join(fitting)})")
    return SCHEDULERS[name].from_config(pipeline.scheduler.config)


def accepted(pipeline: Any) -> frozenset[str]:
    """Return the names of the arguments that a pipeline's call takes."""
    return frozenset(inspect.signature(type(pipeline).__call__).parameters)


def validate_settings(pipeline: Any, settings: Sampling) -> None:
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
        raise InputError(f"size: {type(pipeline).__name__} generates one size only; remove the key")
    _validate_arguments(pipeline, settings.arguments)


def _validate_arguments(pipeline: Any, arguments: Mapping[str, Any]) -> None:
    family, parameters = type(pipeline).__name__, inspect.signature(type(pipeline).__call__).parameters
    for name, value in arguments.items():
        if name not in parameters or name == "self" or parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            raise InputError(f"arguments: {family} takes no {name!r}; remove it")
        annotation = parameters[name].annotation
        fitting = {kind for kind in (bool, int, float, str) if kind in (get_args(annotation) or (annotation,))}
        if type(value) not in (fitting | {int} if float in fitting else fitting):
            kinds = " or ".join(sorted(kind.__name__ for kind in fitting)) or "neither a number nor a text"
            raise InputError(f"arguments.{name}: {value!r} does not fit {family}, where it is {kinds}")
    if "eta" in arguments and "eta" not in inspect.signature(pipeline.scheduler.step).parameters:
        raise InputError(f"arguments.eta: {type(pipeline.scheduler).__name__} does not heed it; remove it")
