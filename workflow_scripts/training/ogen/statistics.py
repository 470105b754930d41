"""Compute mean and deviation of each known class's image features: evidence for OGEN's generator.

The release loads such statistics from files that nothing in it makes; this rule is ours. They are computed from the
very images that the run trains on, without augmentation.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.shards import load_image_set
from workflow_scripts.ground.weights import save_weights
from workflow_scripts.training.embeddings import read_embeddings, training_rows
from workflow_scripts.training.ogen.losses import mean_and_deviation
from workflow_scripts.training.ogen.settings import StatisticsJob
from workflow_scripts.training.selection import choice, class_rows

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read the embeddings of the training images and write a row per known class."""
    settings = StatisticsJob.parse(options.settings)
    sets = [load_image_set(manifest) for manifest in options.images]
    tables = [read_embeddings(path) for path in options.embeddings]
    keep = choice(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    labels, values = zip(*training_rows(sets, tables, keep), strict=True)
    features = torch.from_numpy(np.stack(values))
    classes = sets[0].classes
    rows = class_rows(len(classes), settings.base)[torch.tensor(labels)]
    known = len(classes) if settings.base is None else len(settings.base)
    missing = sorted(set(range(known)) - set(rows.tolist()))
    if missing:
        label = missing[0] if settings.base is None else settings.base[missing[0]]
        raise InputError(f"{options.images[0]}: no training image of class {classes[label]!r}; rebuild it")
    mean, std = mean_and_deviation(features, rows, classes=known)
    save_weights(options.output, {"mean": mean, "std": std, "features": features, "rows": rows})
    logger.info("statistics of %d classes from %d images", known, len(features))


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="manifests of the images, one per domain")
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True, help="their embeddings, in the same order")
    parser.add_argument("--output", type=Path, required=True, help="statistics to write")
    run(job, parser)


if __name__ == "__main__":
    main()
