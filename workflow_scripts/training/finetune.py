"""Fine-tune a CLIP's image encoder and its zero-shot head on images, plain or with RegFT's regulariser."""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import torch

from workflow_scripts.ground.clip import Clip, load_clip
from workflow_scripts.ground.command import entry_parser, run
from workflow_scripts.ground.devices import claimed_device, environment_record
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.files import digest_of, sha256_of, write_json, write_text
from workflow_scripts.ground.handover import load_class_weights, save_class_weights
from workflow_scripts.ground.images import DecodedImages, Part, decode_image_sets
from workflow_scripts.ground.shards import ImageSet, load_image_set
from workflow_scripts.ground.weights import save_weights
from workflow_scripts.training.checkpoints import checkpoint_path, delete_checkpoints
from workflow_scripts.training.finetune_settings import FinetuneJob
from workflow_scripts.training.heads import ImageClassifier, LinearHead
from workflow_scripts.training.loop import Record, Trainer

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Decode the images, train, and write weights, log and record; the checkpoint goes when all is written."""
    settings = FinetuneJob.parse(options.settings)
    sets = [load_image_set(manifest) for manifest in options.images]
    heads, classes = load_class_weights(options.head)
    if classes != sets[0].classes:
        raise InputError(f"{options.images[0]}: its class names are not those of {options.head}; rebuild both")
    inputs = {str(path): sha256_of(path) for path in (*options.images, options.clip, options.head)}
    identity = {"settings": settings.model_dump(mode="json"), "code": options.code, "inputs": inputs}
    checkpoint = checkpoint_path(options.output, digest_of({**identity, "threads": options.threads}))
    delete_checkpoints(options.output, but=checkpoint)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        model = ImageClassifier(clip.visual, LinearHead(**heads["pretrained"])).to(device)
        trainer = make_trainer(model, clip, sets, settings=settings, device=device, threads=options.threads)
        records = trainer.train(checkpoint)
        environment = environment_record(device)
    save_weights(options.output, model.encoder.state_dict(), metadata={"alpha": "1.00", **identity})
    ends: dict[Any, Any] = {"pretrained": heads["pretrained"], "trained": model.head.state_dict()}
    save_class_weights(options.class_weights, ends, classes=classes)
    write_text(options.records, "".join(json.dumps(line) + "\n" for line in records))
    write_json(options.record, {**identity, **summary(trainer, records), "environment": environment})
    delete_checkpoints(options.output)


def make_trainer(
    model: ImageClassifier,
    clip: Clip,
    sets: list[ImageSet],
    *,
    settings: FinetuneJob,
    device: torch.device,
    threads: int,
) -> Trainer:
    """Decode both parts of the images and put the trainer together: AdamW on all tensors, one weight decay."""

    def decoded(part: Part) -> DecodedImages:
        return decode_image_sets(sets, size=clip.image_size, geometry=clip.geometry, part=part, threads=threads)

    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    return Trainer(
        model=model,
        optimiser=optimiser,
        settings=settings,
        images=decoded("training"),
        held_out=decoded("held-out"),
        normalise=clip.normalise,
        device=device,
    )


def summary(trainer: Trainer, records: list[Record]) -> Record:
    """Return what the record says of a finished training."""
    steps = [line for line in records if line["kind"] == "step"]
    return {
        "training_images": len(trainer.images),
        "held_out_images": len(trainer.held_out),
        "left_out_images": trainer.images.left_out + trainer.held_out.left_out,
        "domains": list(trainer.images.domains),
        "steps": len(steps),
        "last": records[-1],
    }


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="manifests of the images, one per domain")
    parser.add_argument("--clip", type=Path, required=True, help="manifest of the CLIP checkpoint")
    parser.add_argument("--head", type=Path, required=True, help="class weights of the zero-shot head")
    parser.add_argument("--output", type=Path, required=True, help="trained image encoder to write")
    parser.add_argument("--class-weights", type=Path, required=True, help="both ends of the class weights to write")
    parser.add_argument("--records", type=Path, required=True, help="training log to write, a JSON object per line")
    parser.add_argument("--record", type=Path, required=True, help="run record to write")
    run(job, parser)


if __name__ == "__main__":
    main()
