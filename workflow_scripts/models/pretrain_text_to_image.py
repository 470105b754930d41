"""Train a small denoiser on the corpus and save a whole Stable-Diffusion-style pipeline."""

import argparse
from typing import Any

from diffusers import StableDiffusionPipeline

from workflow_scripts.common.checkpoint_files import PIPELINE_FILES
from workflow_scripts.common.entry_point import run
from workflow_scripts.models.denoiser import make_scheduler, train_denoiser
from workflow_scripts.models.latents import LatentCorpus
from workflow_scripts.models.settings import UNetJob
from workflow_scripts.models.text_to_image import Frozen, text_to_image_parser, train_and_save


def job(options: argparse.Namespace) -> None:
    """Train a UNet on the latents and assemble Stable Diffusion's pipeline."""
    settings = UNetJob.parse(options.settings)

    def train(latents: LatentCorpus, device: Any) -> Any:
        return train_denoiser(settings.denoiser, latents, seed=settings.seed, device=device)

    train_and_save(options, settings, train, assembled, files=PIPELINE_FILES)


def assembled(frozen: Frozen, unet: Any) -> StableDiffusionPipeline:
    """Return the pipeline, without a safety checker."""
    return StableDiffusionPipeline(
        vae=frozen.autoencoder,
        text_encoder=frozen.text_encoder,
        tokenizer=frozen.tokenizer,
        unet=unet,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def main() -> None:
    """Run from the command line."""
    run(job, text_to_image_parser(__doc__))


if __name__ == "__main__":
    main()
