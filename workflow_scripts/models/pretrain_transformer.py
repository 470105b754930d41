"""Train a transformer over whole latents on the corpus and save a whole PixArt-style pipeline."""

import argparse
from typing import Any

from diffusers import PixArtAlphaPipeline

from workflow_scripts.common.checkpoint_files import TRANSFORMER_PIPELINE_FILES
from workflow_scripts.common.entry_point import run
from workflow_scripts.models.latent_transformer import make_flow_scheduler, train_transformer
from workflow_scripts.models.latents import LatentCorpus
from workflow_scripts.models.settings import TransformerJob
from workflow_scripts.models.text_to_image import Frozen, text_to_image_parser, train_and_save

PIXART_TOKENS = 120
"""What the pipeline pads captions to, if nothing else is asked of it (`max_sequence_length`)."""


def job(options: argparse.Namespace) -> None:
    """Train a transformer on the latents and assemble PixArt's pipeline."""
    settings = TransformerJob.parse(options.settings)

    def train(latents: LatentCorpus, device: Any) -> Any:
        return train_transformer(settings.denoiser, latents, seed=settings.seed, device=device)

    train_and_save(
        options,
        settings,
        train,
        assembled,
        copies=settings.denoiser.copies,
        positions=PIXART_TOKENS,
        precision=settings.denoiser.precision,
        files=TRANSFORMER_PIPELINE_FILES,
    )


def assembled(frozen: Frozen, transformer: Any) -> PixArtAlphaPipeline:
    """Return the pipeline; its text encoder is CLIP's, where PixArt's own is T5."""
    return PixArtAlphaPipeline(
        vae=frozen.autoencoder,
        text_encoder=frozen.text_encoder,
        tokenizer=frozen.tokenizer,
        transformer=transformer,
        scheduler=make_flow_scheduler(),
    )


def main() -> None:
    """Run from the command line."""
    run(job, text_to_image_parser(__doc__))


if __name__ == "__main__":
    main()
