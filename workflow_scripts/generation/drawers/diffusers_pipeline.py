"""Text-to-image pipelines of diffusers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from workflow_scripts.common.files import digest_of
from workflow_scripts.common.image_check import DrawnImage
from workflow_scripts.generation.drawer import DrawerPart
from workflow_scripts.generation.pipelines import accepted, load_pipeline
from workflow_scripts.generation.prompt_embeddings import EncodedPrompts, encode_prompts
from workflow_scripts.generation.requests import Request
from workflow_scripts.generation.settings import Sampling

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PipelineDrawer:
    """A pipeline on its device, and how it is sampled."""

    pipeline: Any
    settings: Sampling

    @property
    def made_by(self) -> dict[str, Any]:
        """Return the classes of pipeline and scheduler, and a digest of the scheduler's configuration."""
        scheduler = self.pipeline.scheduler
        # Keys with an underscore hold folder names.
        public = sorted(item for item in scheduler.config.items() if not item[0].startswith("_"))
        return {
            "pipeline": type(self.pipeline).__name__,
            "scheduler": type(scheduler).__name__,
            "scheduler_digest": digest_of({key: repr(value) for key, value in public}),
        }

    def draw(self, wanted: Sequence[Request]) -> Iterator[DrawnImage]:
        """Draw batch by batch.

        Every image has its own CPU generator, so its noise is the same in any batch; its pixels may differ by rounding
        between batch sizes, which is why the batch size is recorded.
        """
        encoded = encode_prompts(
            self.pipeline,
            [request.prompt for request in wanted],
            negative_prompt=self.settings.negative_prompt,
            guidance_scale=self.settings.guidance_scale,
            arguments=self.settings.arguments,
        )
        for start in range(0, len(wanted), self.settings.batch_size):
            yield from draw_batch(
                self.pipeline, encoded, wanted[start : start + self.settings.batch_size], self.settings
            )


@torch.no_grad()
def draw_batch(
    pipeline: Any, encoded: EncodedPrompts, batch: Sequence[Request], settings: Sampling
) -> list[DrawnImage]:
    """Return the batch's images, with the safety checker's verdicts if it ran."""
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
    arguments |= settings.arguments
    result = pipeline(**arguments)
    flags = getattr(result, "nsfw_content_detected", None)
    pictures: list[Pixels] = [np.clip(image * 255.0, 0.0, 255.0).round().astype(np.uint8) for image in result.images]
    verdicts = [None] * len(batch) if flags is None else [bool(flag) for flag in flags]
    return [DrawnImage(pixels=picture, flagged=flagged) for picture, flagged in zip(pictures, verdicts, strict=True)]


DRAWER = DrawerPart(
    load=lambda manifest, settings, device: PipelineDrawer(load_pipeline(manifest, settings, device=device), settings),
    heeds=tuple(Sampling.model_fields),
)
