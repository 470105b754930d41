"""Score the images of one domain at every alpha that has no scores yet."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.ensembling.ends import Ends, head_digest
from workflow_scripts.evaluation.parts import join_parts, reusable_alphas, write_parts
from workflow_scripts.evaluation.scores import Point, score_batches
from workflow_scripts.evaluation.settings import ScoringJob
from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.devices import claimed_device
from workflow_scripts.ground.encoders import load_encoder
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.files import digest_of, sha256_of
from workflow_scripts.ground.handover import ClassWeights, load_class_weights
from workflow_scripts.ground.images import decode_image_sets
from workflow_scripts.ground.preprocessing import unit_pixels
from workflow_scripts.ground.shards import load_image_set

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Find out which alphas lack scores, score them in one pass over the images, and put the table together."""
    settings = ScoringJob.parse(options.settings)
    class_weights = load_class_weights(options.class_weights)
    digests = scores_digests(options, settings, class_weights)
    reused = reusable_alphas(options.output, digests)
    missing = [alpha for alpha in settings.alphas if alpha not in reused]
    logger.info("alphas reused: %s; to score: %s", ", ".join(reused) or "none", ", ".join(missing) or "none")
    if missing:
        score_alphas(options, settings, class_weights, {alpha: digests[alpha] for alpha in missing})
    rows = join_parts(options.output, digests)
    logger.info("%d scores", rows)


def scores_digests(options: argparse.Namespace, settings: ScoringJob, class_weights: ClassWeights) -> dict[str, str]:
    """Return for each alpha the digest of all that its scores depend on: inputs, its head, code, threads, settings."""
    files = [options.clip, options.encoder, *options.images]
    shared = {
        "inputs": [sha256_of(path) for path in files if path is not None],
        "settings": settings.model_dump(mode="json", exclude={"alphas"}),
        "code": options.code,
        "threads": options.threads,
    }
    return {alpha: digest_of({**shared, "head": head_digest(class_weights, alpha)}) for alpha in settings.alphas}


def score_alphas(
    options: argparse.Namespace, settings: ScoringJob, class_weights: ClassWeights, digests: dict[str, str]
) -> None:
    """Decode the images once and write the parts of several alphas.

    Raises:
        InputError: the images' class names are not those of the class weights.
    """
    sets = [load_image_set(manifest) for manifest in options.images]
    if class_weights.classes != sets[0].classes:
        raise InputError(f"{options.images[0]}: its class names are not those of {options.class_weights}")
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        encoder = load_encoder(clip=options.clip, encoder=options.encoder, device=device)
        ends, seen = Ends(encoder, class_weights), encoder.preprocessing
        images = decode_image_sets(
            sets, size=seen.size, geometry=seen.geometry, part=settings.part, threads=options.threads
        )
        points = [Point(alpha, ends.encoder_at(alpha), ends.head_at(alpha)).to(device) for alpha in digests]
        tables = score_batches(
            images,
            points,
            encoder=encoder.module,
            normalise=lambda pixels: seen.normalise(unit_pixels(pixels, device)),
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
    parser.add_argument("--class-weights", type=Path, required=True, help="class weights of the run")
    parser.add_argument("--output", type=Path, required=True, help="score table to write; parts lie beside it")
    run(job, parser)


if __name__ == "__main__":
    main()
