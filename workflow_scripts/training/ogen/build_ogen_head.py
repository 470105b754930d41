"""Make OGEN's head from learned context, one matrix per alpha: the text tower on the averaged context."""

import argparse
import logging
from pathlib import Path
from typing import Literal

import torch

from workflow_scripts.common.artifacts import save_head
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.manifests import read_manifest
from workflow_scripts.common.weights import StateDict, load_weights
from workflow_scripts.ensembling.interpolation import interpolate
from workflow_scripts.training.heads import LinearHead
from workflow_scripts.training.ogen.prompt_learner import PromptLearner
from workflow_scripts.training.ogen.settings import OgenHeadJob

logger = logging.getLogger(__name__)


@torch.no_grad()
def job(options: argparse.Namespace) -> None:
    """Average the context at every alpha and encode every class with it."""
    settings = OgenHeadJob.parse(options.settings)
    classes = tuple(read_manifest(options.images)["classes"])
    endpoints, _ = load_weights(options.context)
    if {"pretrained.context", "finetuned.context"} - endpoints.keys():
        raise InputError(f"{options.context}: holds no context; delete it and run snakemake again")
    pretrained, finetuned = ({"context": endpoints[f"{name}.context"]} for name in ("pretrained", "finetuned"))
    variants: dict[str, StateDict] = {}
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        # The kind of context is the file's: a leading dimension of classes, or none.
        kind: Literal["shared", "class-specific"] = (
            "shared" if pretrained["context"].ndim == _SHARED else "class-specific"
        )
        learner = PromptLearner(clip, classes, words=settings.context_words, context=kind)
        for alpha in settings.alphas:
            context = interpolate(pretrained, finetuned, alpha)["context"].to(device)
            variants[f"at.{alpha}"] = LinearHead(clip.scale * learner.encode(clip, context).cpu()).state_dict()
    save_head(options.output, variants, classes=classes)
    logger.info("head of %d classes at %d alphas", len(classes), len(variants))


_SHARED = 2


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument("--context", type=Path, required=True, help="both endpoints of the context")
    parser.add_argument("--images", type=Path, required=True, help="manifest of any training images, for class names")
    parser.add_argument("--output", type=Path, required=True, help="head to write")
    run(job, parser)


if __name__ == "__main__":
    main()
