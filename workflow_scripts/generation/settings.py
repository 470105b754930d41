"""Settings of generating images."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from workflow_scripts.common.settings import Count, Name, NonNegative, Seed, Settings, Text

Scheduler = Literal[
    "ddim", "ddpm", "dpm++", "euler", "euler-ancestral", "flow-match-euler", "heun", "lcm", "pndm", "unipc"
]


SET_BY_KEYS = (
    *("prompt", "negative_prompt", "num_inference_steps", "guidance_scale", "height", "width", "generator"),
    *("num_images_per_prompt", "output_type", "return_dict", "use_resolution_binning"),
)
"""Arguments of a pipeline's call that other keys set, or that stay as they are."""


Scalar = bool | int | float | str


def _scalars(arguments: Any) -> Any:
    # The types alone would be refused once for each of them.
    for name, value in arguments.items() if isinstance(arguments, dict) else ():
        if not isinstance(value, Scalar):
            raise ValueError(f"{name} must be true, false, a number or a text")
        if name in SET_BY_KEYS:
            raise ValueError(f"{name} has a key of its own, or may not be changed; leave it out here")
    return arguments


class Sampling(Settings):
    """How a text-to-image checkpoint is sampled."""

    drawer: Name = "diffusers_pipeline"
    """What reads the checkpoint and draws: a module of `generation/drawers/`."""

    scheduler: Scheduler | None = None
    """Sampler; the checkpoint's own if null."""
    steps: Count = 50
    """Denoising steps."""
    guidance_scale: NonNegative = 5.0
    """Weight of classifier-free guidance; the paper's value (RegFT) is 5."""
    negative_prompt: Text | None = None
    size: Annotated[Count, Field(multiple_of=8)] | None = None
    """Height and width that are generated, in pixels, a multiple of 8; the checkpoint's own if null."""
    stored_size: Count | None = None
    """Height and width of the stored picture (bicubic); as generated if null. RegFT stores 224."""
    dtype: Literal["fp32", "fp16", "bf16"] = "fp32"
    safety_checker: bool = True
    """Whether a safety checker that the checkpoint ships is run; what it flags is a column and is not trained on."""
    batch_size: Count = 16
    arguments: Annotated[dict[str, Scalar], BeforeValidator(_scalars)] = Field(default={})
    """Further arguments of the pipeline's call, as `clip_skip: 1` or `guidance_rescale: 0.7`."""
    seed: Seed = 0
    """Base seed; every image's own seed is derived from it."""


class GeneratedShardJob(Sampling):
    """What one shard's job needs to know: how to sample, and which block of indices."""

    dataset: Name
    source: Name
    domain: Name
    first_index: Annotated[int, Field(ge=0)]
    """First image index, within each class, of this shard's block."""
    indices: Count
    """Images per class in this shard."""


class GeneratedManifestJob(Settings):
    """What the job of one manifest of generated images needs to know."""

    dataset: Name
    source: Name
    domain: Name
