"""Score the images of one domain at every alpha that has no scores yet."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.ensembling.ends import load_ends
from workflow_scripts.evaluation.parts import join_parts, reusable_alphas, write_parts
from workflow_scripts.evaluation.scores import Point, score_batches
from workflow_scripts.evaluation.settings import ScoringJob
from workflow_scripts.ground.clip import load_clip
from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.devices import claimed_device
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.files import digest_of, sha256_of
from workflow_scripts.ground.images import decode_image_sets
from workflow_scripts.ground.shards import load_image_set

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
    """Return the digest of all that one alpha's scores depend on: inputs, code, threads, settings but alphas."""
    files = [options.clip, options.encoder, options.class_weights, *options.images]
    return digest_of(
        {
            "inputs": [sha256_of(path) for path in files if path is not None],
            "settings": settings.model_dump(mode="json", exclude={"alphas"}),
            "code": options.code,
            "threads": options.threads,
        }
    )


def score_alphas(options: argparse.Namespace, settings: ScoringJob, alphas: list[str], digest: str) -> None:
    """Decode the images once and write the parts of several alphas."""
    sets = [load_image_set(manifest) for manifest in options.images]
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        ends = load_ends(clip, encoder=options.encoder, class_weights=options.class_weights)
        if ends.classes != sets[0].classes:
            raise InputError(f"{options.images[0]}: its class names are not those of {options.class_weights}")
        images = decode_image_sets(
            sets, size=clip.image_size, geometry=clip.geometry, part=settings.part, threads=options.threads
        )
        points = [Point(alpha, ends.encoder_at(alpha), ends.head_at(alpha)).to(device) for alpha in alphas]
        tables = score_batches(
            images,
            points,
            encoder=clip.visual,
            normalise=clip.normalise,
            batch_size=settings.batch_size,
            precision=settings.precision,
            full_logits=settings.full_logits,
            device=device,
        )
        write_parts(options.output, tables, alphas, digest)


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
