"""Write the averaged model of one alpha so that plain open_clip loads it, with its head and class names beside it."""

import argparse
import logging
from pathlib import Path

import torch

from workflow_scripts.common.checkpoint_files import EXPORT_CLASSES, EXPORT_HEAD, OPEN_CLIP_CONFIG
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import write_json
from workflow_scripts.common.selection_file import chosen_by, read_selection
from workflow_scripts.common.weights import save_weights
from workflow_scripts.ensembling.classifier import classifier_module

logger = logging.getLogger(__name__)

VISUAL = "visual."


def job(options: argparse.Namespace) -> None:
    """Write CLIP with the averaged image encoder, the head, and the class names.

    The exported configuration carries the preprocessing that the run was trained and scored with.
    """
    torch.set_num_threads(options.threads)
    artifacts = {path.name: path for path in options.artifacts}
    module = classifier_module(options.classifier, needed="linear_clip")
    alpha = options.alpha
    metadata = {}
    if options.selection is not None:
        choice = chosen_by(options.alpha, read_selection(options.selection))
        if choice.alpha is None:
            raise InputError(f"{options.selection}: {choice.picker!r} chose none of the alphas")
        alpha, metadata = choice.alpha, {"picker": choice.picker, "picked": choice.title}
        logger.info("alpha %s: %s", alpha, choice.title)
    averaged = module.linear_clip(clip=options.clip, artifacts=artifacts, alpha=alpha)
    clip = load_clip(options.clip, device=torch.device("cpu"))
    encoder = {f"{VISUAL}{name}": tensor for name, tensor in averaged.encoder.items()}
    whole = {name: tensor for name, tensor in clip.model.state_dict().items() if not name.startswith(VISUAL)}
    save_weights(options.output, {**whole, **encoder}, metadata={"alpha": alpha, **metadata})
    folder = options.output.parent
    write_json(folder / OPEN_CLIP_CONFIG, {**clip.config, "preprocess_cfg": {**averaged.preprocessing.as_dict()}})
    if hasattr(clip.tokenizer, "tokenizer"):
        # Its own, not CLIP's: without it no text can be encoded.
        clip.tokenizer.tokenizer.save_pretrained(folder)
    write_json(folder / EXPORT_CLASSES, list(averaged.classes))
    save_weights(folder / EXPORT_HEAD, averaged.head, metadata={"alpha": alpha, **metadata})
    logger.info("exported alpha %s; load it with open_clip.create_model_and_transforms('local-dir:FOLDER')", alpha)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument("--classifier", required=True, help="module that reads the run's artifacts")
    parser.add_argument("--artifacts", type=Path, nargs="+", required=True, help="the run's artifacts")
    parser.add_argument("--alpha", required=True, help="weight of the fine-tuned endpoint, 0..1, or a picker's name")
    parser.add_argument(
        "--selection", type=Path, nargs="?", default=None, help="the run's selection, where --alpha names a picker"
    )
    parser.add_argument("--output", type=Path, required=True, help="weights to write; the rest goes beside them")
    run(job, parser)


if __name__ == "__main__":
    main()
