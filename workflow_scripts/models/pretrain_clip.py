"""Train a small CLIP on the corpus and save it in open_clip's format."""

import argparse
import logging
from pathlib import Path

from open_clip.tokenizer import HFTokenizer

from workflow_scripts.common.checkpoint_files import CLIP_FILES, OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS, TOKENIZER_FILES
from workflow_scripts.common.devices import claimed_device, fitting_precision
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.files import write_json
from workflow_scripts.common.manifests import write_model_manifest
from workflow_scripts.common.weights import save_weights
from workflow_scripts.models.components import save_components
from workflow_scripts.models.contrastive import clip_config, clip_tokenizer, train_clip
from workflow_scripts.models.corpus import read_corpus
from workflow_scripts.models.origin import pretrained_origin
from workflow_scripts.models.settings import PretrainClip

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read the corpus, train, and write configuration, weights and manifest."""
    settings = PretrainClip.parse(options.settings)
    corpus = read_corpus(options.images, settings.corpus, size=settings.image_size, seed=settings.seed)
    tokenizer = clip_tokenizer(settings, corpus.texts)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        model = train_clip(settings, corpus, tokenizer, device=device)
        precision = fitting_precision(device, settings.precision)
    folder = options.output.parent
    names = list(CLIP_FILES)
    tokens = None
    if isinstance(tokenizer, HFTokenizer):
        save_components(folder, {".": tokenizer.tokenizer})
        names += TOKENIZER_FILES
        tokens = len(tokenizer.tokenizer)
    write_json(folder / OPEN_CLIP_CONFIG, clip_config(settings, tokens=tokens))
    save_weights(folder / OPEN_CLIP_WEIGHTS, model.state_dict())
    origin = pretrained_origin(settings, settings.corpus, images=len(corpus))
    write_model_manifest(options.output, folder=folder, names=names, origin={**origin, "precision": precision})


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="training images, a manifest per domain")
    parser.add_argument("--output", type=Path, required=True, help="manifest to write; the model goes beside it")
    run(job, parser)


if __name__ == "__main__":
    main()
