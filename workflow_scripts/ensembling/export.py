"""Write the averaged model of one alpha so that plain open_clip loads it, with its head and class names beside it."""

import argparse
import logging
from pathlib import Path

import torch

from workflow_scripts.ensembling.ends import Ends
from workflow_scripts.ground.clip import CONFIG_FILE, load_clip
from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.encoders import load_encoder
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.files import write_json
from workflow_scripts.ground.handover import load_class_weights
from workflow_scripts.ground.weights import save_weights

logger = logging.getLogger(__name__)

VISUAL = "visual."


def job(options: argparse.Namespace) -> None:
    """Average both ends and write CLIP with the averaged image encoder, the head, and the class names.

    The exported configuration carries the preprocessing that the run was trained and scored with.

    Raises:
        InputError: the run's encoder is not its CLIP's.
    """
    torch.set_num_threads(options.threads)
    device = torch.device("cpu")
    clip = load_clip(options.clip, device=device)
    encoder = load_encoder(clip=options.clip, encoder=options.encoder, device=device)
    if encoder.pretrained is None:
        raise InputError(f"{options.encoder}: a student is no CLIP; timm loads it as it is")
    ends = Ends(encoder, load_class_weights(options.class_weights))
    averaged = {f"{VISUAL}{name}": tensor for name, tensor in ends.encoder_at(options.alpha).items()}
    whole = {name: tensor for name, tensor in clip.model.state_dict().items() if not name.startswith(VISUAL)}
    save_weights(options.output, {**whole, **averaged}, metadata={"alpha": options.alpha})
    folder = options.output.parent
    write_json(folder / CONFIG_FILE, {**clip.config, "preprocess_cfg": {**encoder.preprocessing.record()}})
    write_json(folder / "classes.json", list(ends.class_weights.classes))
    save_weights(folder / "head.safetensors", ends.head_at(options.alpha), metadata={"alpha": options.alpha})
    logger.info(
        "exported alpha %s; load it with open_clip.create_model_and_transforms('local-dir:FOLDER')", options.alpha
    )


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument("--encoder", type=Path, default=None, help="trained image encoder, if it was trained")
    parser.add_argument("--class-weights", type=Path, required=True, help="class weights of the run")
    parser.add_argument("--alpha", required=True, help="weight of the trained end, 0..1")
    parser.add_argument("--output", type=Path, required=True, help="weights to write; the rest goes beside them")
    run(job, parser)


if __name__ == "__main__":
    main()
