"""Score the images of one domain at every alpha that has no scores yet."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.common.artifacts import RunHead, load_head
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.encoders import load_encoder
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import digest_of, sha256_of
from workflow_scripts.common.images import decode_image_sets
from workflow_scripts.common.preprocessing import unit_pixels
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.ensembling.endpoints import Endpoints, head_digest
from workflow_scripts.evaluation.score_parts import join_parts, reusable_alphas, write_parts
from workflow_scripts.evaluation.score_table import InterpolatedWeights, score_batches
from workflow_scripts.evaluation.settings import ScoringJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Find out which alphas lack scores, score them in one pass over the images, and put the table together."""
    settings = ScoringJob.parse(options.settings)
    head = load_head(options.head)
    digests = scores_digests(options, settings, head)
    reused = reusable_alphas(options.output, digests)
    missing = [alpha for alpha in settings.alphas if alpha not in reused]
    logger.info("alphas reused: %s; to score: %s", ", ".join(reused) or "none", ", ".join(missing) or "none")
    if missing:
        score_alphas(options, settings, head, {alpha: digests[alpha] for alpha in missing})
    rows = join_parts(options.output, digests)
    logger.info("%d scores", rows)


def scores_digests(options: argparse.Namespace, settings: ScoringJob, head: RunHead) -> dict[str, str]:
    """Return for each alpha the digest of all that its scores depend on: inputs, its head, code, threads, settings."""
    files = [options.clip, options.encoder, *options.images]
    shared = {
        "inputs": [sha256_of(path) for path in files if path is not None],
        "settings": settings.model_dump(mode="json", exclude={"alphas"}),
        "code": options.code,
        "threads": options.threads,
    }
    return {alpha: digest_of({**shared, "head": head_digest(head, alpha)}) for alpha in settings.alphas}


def score_alphas(options: argparse.Namespace, settings: ScoringJob, head: RunHead, digests: dict[str, str]) -> None:
    """Decode the images once and write the parts of several alphas.

    Raises:
        InputError: the images' class names are not those of the head.
    """
    sets = [load_image_set(manifest) for manifest in options.images]
    if head.classes != sets[0].classes:
        raise InputError(f"{options.images[0]}: its class names are not those of {options.head}")
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        encoder = load_encoder(clip=options.clip, encoder=options.encoder, device=device)
        endpoints, preprocessing = Endpoints(encoder, head), encoder.preprocessing
        images = decode_image_sets(
            sets,
            size=preprocessing.size,
            geometry=preprocessing.geometry,
            split=settings.split,
            threads=options.threads,
        )
        grid = [
            InterpolatedWeights(alpha, endpoints.encoder_at(alpha), endpoints.head_at(alpha)).to(device)
            for alpha in digests
        ]
        tables = score_batches(
            images,
            grid,
            encoder=encoder.module,
            normalize=lambda pixels: preprocessing.normalize(unit_pixels(pixels, device)),
            batch_size=settings.batch_size,
            precision=settings.precision,
            full_logits=settings.full_logits,
            base=settings.base,
        )
        write_parts(options.output, tables, digests)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="manifests of the domain's images")
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument("--encoder", type=Path, default=None, help="trained image encoder, if it was trained")
    parser.add_argument("--head", type=Path, required=True, help="the run's head")
    parser.add_argument("--output", type=Path, required=True, help="score table to write; parts lie beside it")
    run(job, parser)


if __name__ == "__main__":
    main()
