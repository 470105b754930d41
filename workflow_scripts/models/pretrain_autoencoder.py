"""Train the small autoencoder of a text-to-image model."""

import argparse
from pathlib import Path

from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.models.autoencoder import train_autoencoder
from workflow_scripts.models.components import save_components
from workflow_scripts.models.corpus import read_corpus
from workflow_scripts.models.settings import AutoencoderJob


def job(options: argparse.Namespace) -> None:
    """Read as much of the corpus as the steps see, train, and write the autoencoder in diffusers' format."""
    settings = AutoencoderJob.parse(options.settings)
    seen = settings.autoencoder.steps * settings.autoencoder.batch_size
    corpus = read_corpus(options.images, settings.corpus, size=settings.image_size, seed=settings.seed, max_images=seen)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        model = train_autoencoder(settings, corpus, device=device)
    save_components(options.output.parent.parent, {"vae": model})


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="training images, a manifest per domain")
    parser.add_argument("--output", type=Path, required=True, help="weights to write, .../vae/NAME.safetensors")
    run(job, parser)


if __name__ == "__main__":
    main()
