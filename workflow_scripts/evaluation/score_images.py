"""Score the images of one domain at every alpha that has no scores yet."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import digest_of, sha256_of
from workflow_scripts.common.images import decode_image_sets
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.ensembling.classifier import classifier_module
from workflow_scripts.evaluation.score_parts import join_parts, reusable_alphas, write_parts
from workflow_scripts.evaluation.score_table import score_batches
from workflow_scripts.evaluation.settings import ScoringJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Find out which alphas lack scores, score them in one pass over the images, and put the table together."""
    settings = ScoringJob.parse(options.settings)
    digest = scores_digest(options, settings)
    reused = reusable_alphas(options.output, settings.alphas, digest)
    missing = [alpha for alpha in settings.alphas if alpha not in reused]
    logger.info("alphas reused: %s; to score: %s", ", ".join(reused) or "none", ", ".join(missing) or "none")
    if missing:
        score_alphas(options, settings, missing, digest)
    rows = join_parts(options.output, settings.alphas, digest)
    logger.info("%d scores", rows)


def scores_digest(options: argparse.Namespace, settings: ScoringJob) -> str:
    """Return the digest of all that scores depend on, whatever the alpha: inputs, code, threads, settings."""
    files = [options.clip, *options.artifacts, *options.images]
    return digest_of(
        {
            "inputs": [sha256_of(path) for path in files],
            "classifier": options.classifier,
            "settings": settings.model_dump(mode="json", exclude={"alphas"}),
            "code": options.code,
            "threads": options.threads,
        }
    )


def score_alphas(options: argparse.Namespace, settings: ScoringJob, alphas: list[str], digest: str) -> None:
    """Decode the images once and write the parts of several alphas.

    Raises:
        InputError: the images' class names are not those of the classifier.
    """
    sets = [load_image_set(manifest) for manifest in options.images]
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        classifier = classifier_module(options.classifier, needed="load_classifier").load_classifier(
            clip=options.clip,
            artifacts={path.name: path for path in options.artifacts},
            alphas=alphas,
            precision=settings.precision,
            device=device,
        )
        if classifier.classes != sets[0].classes:
            raise InputError(f"{options.images[0]}: its class names are not those of {options.artifacts[0]}")
        images = decode_image_sets(
            sets,
            size=classifier.preprocessing.size,
            geometry=classifier.preprocessing.geometry,
            split=settings.split,
            threads=options.threads,
        )
        tables = score_batches(
            images,
            classifier,
            alphas=alphas,
            device=device,
            batch_size=settings.batch_size,
            full_logits=settings.full_logits,
            base=settings.base,
        )
        write_parts(options.output, tables, alphas, digest)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="manifests of the domain's images")
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument("--classifier", required=True, help="module that reads the run's artifacts")
    parser.add_argument("--artifacts", type=Path, nargs="+", required=True, help="the run's artifacts")
    parser.add_argument("--output", type=Path, required=True, help="score table to write; parts lie beside it")
    run(job, parser)


if __name__ == "__main__":
    main()
