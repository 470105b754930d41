"""Embed every image of one domain with a CLIP's image encoder, for OGEN's class statistics and VL2V's teacher."""

import argparse
import logging
from pathlib import Path

import torch

from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.images import decode_image_sets
from workflow_scripts.common.logs import progress
from workflow_scripts.common.preprocessing import unit_pixels
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.training.embedding_table import write_embeddings

logger = logging.getLogger(__name__)

BATCH = 256


@torch.no_grad()
def job(options: argparse.Namespace) -> None:
    """Decode the domain once and write one unit embedding per image, in float32."""
    images = load_image_set(options.images)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        preprocessing = clip.preprocessing.of_kind(options.preprocessing)
        decoded = decode_image_sets(
            [images], size=preprocessing.size, geometry=preprocessing.geometry, threads=options.threads
        )
        parts = []
        for numbers in progress(torch.arange(len(decoded)).split(BATCH), what=f"embedding {images.domain}"):
            pixels = unit_pixels(torch.from_numpy(decoded.pixels[numbers.numpy()]), device)
            features = clip.visual(preprocessing.normalize(pixels)).float()
            parts.append(torch.nn.functional.normalize(features, dim=-1).cpu())
    values = torch.cat(parts)
    write_embeddings(options.output, labels=decoded.labels, indices=decoded.index, values=values)
    logger.info("%d embeddings of length %d", *values.shape)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, required=True, help="manifest of the domain's images")
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument(
        "--preprocessing", choices=("clip", "imagenet"), required=True, help="how the encoder sees pictures"
    )
    parser.add_argument("--output", type=Path, required=True, help="table of embeddings to write")
    run(job, parser)


if __name__ == "__main__":
    main()
