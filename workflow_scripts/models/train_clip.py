"""Train a small CLIP on the corpus and save it in open_clip's format."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.devices import claimed_device
from workflow_scripts.ground.files import write_json
from workflow_scripts.ground.manifests import write_model_manifest
from workflow_scripts.ground.weights import save_weights
from workflow_scripts.models.clip_training import clip_config, train_clip
from workflow_scripts.models.corpus import read_corpus
from workflow_scripts.models.layout import CLIP_FILES
from workflow_scripts.models.origin import embedded_origin
from workflow_scripts.models.settings import EmbeddedClip

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read the corpus, train, and write configuration, weights and manifest."""
    settings = EmbeddedClip.parse(options.settings)
    corpus = read_corpus(options.images, settings.corpus, size=settings.image_size, seed=settings.seed)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        model = train_clip(settings, corpus, device=device)
    folder = options.output.parent
    write_json(folder / CLIP_FILES[0], clip_config(settings))
    save_weights(folder / CLIP_FILES[1], model.state_dict())
    origin = embedded_origin(settings, settings.corpus, images=len(corpus))
    write_model_manifest(options.output, folder=folder, names=list(CLIP_FILES), origin=origin)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="training images, a manifest per domain")
    parser.add_argument("--output", type=Path, required=True, help="manifest to write; the model goes beside it")
    run(job, parser)


if __name__ == "__main__":
    main()
