"""Compute mean and deviation of each base class's image features, for OGEN's generator.

The release loads such statistics from files that nothing in it makes; this rule is ours. They are computed from the
very images that the run trains on, without augmentation.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.common.weights import save_weights
from workflow_scripts.training.embedding_table import read_embeddings, training_rows
from workflow_scripts.training.image_selection import image_predicate, label_rows
from workflow_scripts.training.ogen.losses import mean_and_deviation
from workflow_scripts.training.ogen.settings import ClassStatisticsJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read the embeddings of the training images and write a row per base class."""
    settings = ClassStatisticsJob.parse(options.settings)
    sets = [load_image_set(manifest) for manifest in options.images]
    tables = [read_embeddings(path) for path in options.embeddings]
    predicate = image_predicate(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    labels, values = zip(*training_rows(sets, tables, predicate), strict=True)
    features = torch.from_numpy(np.stack(values))
    classes = sets[0].classes
    rows = label_rows(len(classes), settings.base)[torch.tensor(labels)]
    count = len(classes) if settings.base is None else len(settings.base)
    missing = sorted(set(range(count)) - set(rows.tolist()))
    if missing:
        label = missing[0] if settings.base is None else settings.base[missing[0]]
        raise InputError(f"{options.images[0]}: no training image of class {classes[label]!r}; rebuild it")
    mean, std = mean_and_deviation(features, rows, classes=count)
    save_weights(options.output, {"mean": mean, "std": std, "features": features, "rows": rows})
    logger.info("statistics of %d classes from %d images", count, len(features))


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="manifests of the images, one per domain")
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True, help="their embeddings, in the same order")
    parser.add_argument("--output", type=Path, required=True, help="statistics to write")
    run(job, parser)


if __name__ == "__main__":
    main()
