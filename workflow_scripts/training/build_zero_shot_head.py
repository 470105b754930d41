"""Make the zero-shot head from sentences; nothing is trained."""

import argparse
import logging
from pathlib import Path

from workflow_scripts.common.artifacts import save_head
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.devices import claimed_device, environment_metadata
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.files import sha256_of, write_json
from workflow_scripts.training.heads import LinearHead, encode_head, read_head_prompts

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Encode every sentence once and average per class."""
    classes, sentences = read_head_prompts(options.prompts)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        head = LinearHead(encode_head(clip, sentences))
        metadata = {
            "environment": environment_metadata(device),
            "inputs": {"clip": sha256_of(options.clip), "prompts": sha256_of(options.prompts)},
            "sentences": sum(len(each) for each in sentences),
            "logit_scale": clip.scale,
        }
    save_head(options.output, {"pretrained": head.state_dict()}, classes=tuple(classes))
    write_json(options.metadata, metadata)
    logger.info("zero-shot head of %d classes from %d sentences", len(classes), metadata["sentences"])


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument("--prompts", type=Path, required=True, help="table of head prompts")
    parser.add_argument("--output", type=Path, required=True, help="head to write")
    parser.add_argument("--metadata", type=Path, required=True, help="metadata of the run to write")
    run(job, parser)


if __name__ == "__main__":
    main()
