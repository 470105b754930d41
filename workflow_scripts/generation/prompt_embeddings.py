"""Encoding each distinct prompt once, for the families of pipelines that take embeddings in place of text."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

GUIDED = ("prompt_embeds", "negative_prompt_embeds")
GUIDED_POOLED = (*GUIDED, "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
GUIDED_MASKED = ("prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask")

ENCODED = {
    "StableDiffusionPipeline": GUIDED,
    "StableDiffusionXLPipeline": GUIDED_POOLED,
    "StableDiffusion3Pipeline": GUIDED_POOLED,
    "PixArtAlphaPipeline": GUIDED_MASKED,
    "PixArtSigmaPipeline": GUIDED_MASKED,
    "FluxPipeline": ("prompt_embeds", "pooled_prompt_embeds", None),
}
"""What `encode_prompt` of each family returns, as arguments of the pipeline's call (None: not one of them)."""


@dataclass(frozen=True)
class EncodedPrompts:
    """What a batch of prompts becomes as arguments of a pipeline's call."""

    place: dict[str, int]
    tensors: dict[str, Tensor]
    negative_prompt: str | None

    def arguments(self, prompts: Sequence[str]) -> dict[str, Any]:
        """Return the arguments for a batch: rows of the encoded prompts, or the texts where nothing was encoded."""
        if self.tensors:
            rows = torch.tensor([self.place[text] for text in prompts])
            return {name: tensor[rows.to(tensor.device)] for name, tensor in self.tensors.items()}
        negative = {} if self.negative_prompt is None else {"negative_prompt": [self.negative_prompt] * len(prompts)}
        return {"prompt": list(prompts), **negative}


@torch.no_grad()
def encode_prompts(
    pipeline: Any,
    prompts: Sequence[str],
    *,
    negative_prompt: str | None,
    guidance_scale: float,
    arguments: Mapping[str, Any],
) -> EncodedPrompts:
    """Encode the distinct prompts, one by one so that no row depends on what else is encoded.

    Pipelines of other families than those of `ENCODED` get texts.

    Args:
        pipeline: a text-to-image pipeline.
        prompts: what is encoded.
        negative_prompt: what guidance leads away from; the pipeline's own if None.
        guidance_scale: up to 1 nothing is guided.
        arguments: further ones of the pipeline's call; encoding takes those that it knows, as `clip_skip`.
    """
    distinct = list(dict.fromkeys(prompts))
    names = ENCODED.get(type(pipeline).__name__)
    if names is None:
        return EncodedPrompts({}, {}, negative_prompt)
    guided = guidance_scale > 1.0
    known = inspect.signature(pipeline.encode_prompt).parameters
    further = {name: value for name, value in arguments.items() if name in known}
    rows: dict[str, list[Tensor]] = {}
    for text in distinct:
        returned = pipeline.encode_prompt(**_encode_arguments(pipeline, text, negative_prompt, guided), **further)
        for name, tensor in zip(names, returned, strict=False):
            if name is not None and tensor is not None:
                rows.setdefault(name, []).append(tensor)
    place = {text: number for number, text in enumerate(distinct)}
    return EncodedPrompts(place, {name: torch.cat(parts) for name, parts in rows.items()}, negative_prompt)


def _encode_arguments(pipeline: Any, text: str, negative_prompt: str | None, guided: bool) -> dict[str, Any]:
    arguments: dict[str, Any] = {"prompt": text, "device": pipeline.device, "num_images_per_prompt": 1}
    family = type(pipeline).__name__
    if family == "FluxPipeline":
        return {**arguments, "prompt_2": None}
    if family == "StableDiffusion3Pipeline":
        arguments |= {"prompt_2": None, "prompt_3": None}
    # Left out rather than empty: without a negative prompt SDXL's unconditional embedding is zero.
    negative = {} if negative_prompt is None else {"negative_prompt": negative_prompt}
    return {**arguments, **negative, "do_classifier_free_guidance": guided}
