"""Sampling the images of one shard."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from workflow_scripts.common.images import encode_png
from workflow_scripts.common.logs import progress
from workflow_scripts.common.seeds import image_seed
from workflow_scripts.common.shards import ImageRow, is_usable
from workflow_scripts.generation.pipelines import accepted
from workflow_scripts.generation.prompt_embeddings import EncodedPrompts, encode_prompts
from workflow_scripts.generation.settings import GeneratedShardJob

logger = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Request:
    """One image that is to be generated."""

    label: int
    class_name: str
    index: int
    prompt: str
    seed: int


def requests(prompts: list[dict[str, Any]], settings: GeneratedShardJob) -> list[Request]:
    """Return the images of a shard: for each index of its block every class; image i uses template i mod n.

    Args:
        prompts: rows of a generation prompt table, of one domain.
        settings: the shard's settings.
    """
    by_label: dict[int, list[dict[str, Any]]] = {}
    for row in sorted(prompts, key=lambda row: (row["label"], row["template"])):
        by_label.setdefault(row["label"], []).append(row)
    images = []
    for index in range(settings.first_index, settings.first_index + settings.indices):
        for label, rows in by_label.items():
            name = rows[0]["class_name"]
            seed = image_seed(
                dataset=settings.dataset,
                class_name=name,
                domain=settings.domain,
                index=index,
                base_seed=settings.seed,
            )
            images.append(Request(label, name, index, rows[index % len(rows)]["prompt"], seed))
    return images


def generate(pipeline: Any, wanted: list[Request], settings: GeneratedShardJob) -> Iterator[ImageRow]:
    """Generate the requested images batch by batch and yield them as shard rows, in the order of the requests.

    Every image has its own CPU generator, so its noise is the same in any batch; its pixels may differ by rounding
    between batch sizes, which is why the batch size is recorded.
    """
    encoded = encode_prompts(
        pipeline,
        [request.prompt for request in wanted],
        negative_prompt=settings.negative_prompt,
        guidance_scale=settings.guidance_scale,
    )
    starts = range(0, len(wanted), settings.batch_size)
    suspicious = 0
    for start in progress(starts, what=f"generating {len(wanted)} images ({settings.domain})"):
        batch = wanted[start : start + settings.batch_size]
        pictures, flags = generate_batch(pipeline, encoded, batch, settings)
        for request, picture, flagged in zip(batch, pictures, flags, strict=True):
            row = image_row(request, picture, flagged, settings)
            suspicious += not is_usable(row.as_dict())
            yield row
    if suspicious:
        logger.warning("%d of %d images are black or flagged by the safety checker", suspicious, len(wanted))


@torch.no_grad()
def generate_batch(
    pipeline: Any, encoded: EncodedPrompts, batch: list[Request], settings: GeneratedShardJob
) -> tuple[list[Pixels], list[bool | None]]:
    """Return the batch's pictures (height, width, 3), and the safety checker's verdicts (None: it did not run)."""
    arguments: dict[str, Any] = {
        **encoded.arguments([request.prompt for request in batch]),
        "generator": [torch.Generator("cpu").manual_seed(request.seed) for request in batch],
        "num_inference_steps": settings.steps,
        "guidance_scale": settings.guidance_scale,
        "output_type": "np",
    }
    names = accepted(pipeline)
    if encoded.tensors and "negative_prompt" in names:
        # PixArt's default is the empty text, which it refuses beside embeddings.
        arguments["negative_prompt"] = None
    if settings.size is not None:
        arguments |= {"height": settings.size, "width": settings.size}
    if "use_resolution_binning" in names:
        # PixArt would generate the nearest size of its list and resize; the size asked for is generated instead.
        arguments["use_resolution_binning"] = False
    result = pipeline(**arguments)
    flags = getattr(result, "nsfw_content_detected", None)
    pictures = [np.clip(image * 255.0, 0.0, 255.0).round().astype(np.uint8) for image in result.images]
    return pictures, [None] * len(batch) if flags is None else [bool(flag) for flag in flags]


def image_row(request: Request, picture: Pixels, flagged: bool | None, settings: GeneratedShardJob) -> ImageRow:
    """Return the shard row of a generated picture, resized if the settings say so."""
    stored = picture
    if settings.stored_size is not None and picture.shape[:2] != (settings.stored_size, settings.stored_size):
        size = (settings.stored_size, settings.stored_size)
        stored = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
    return ImageRow(
        image=encode_png(stored),
        label=request.label,
        class_name=request.class_name,
        domain=settings.domain,
        index=request.index,
        image_id=f"{settings.source}/{settings.domain}/{request.label}/{request.index}",
        prompt=request.prompt,
        seed=request.seed,
        flagged=flagged,
        black=not picture.any(),
    )
