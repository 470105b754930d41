"""VL2V-SD: self-distillation of CLIP's image encoder towards text embeddings, near its own frozen copy."""

import argparse
import copy
from pathlib import Path

import torch

from workflow_scripts.ground.clip import load_clip
from workflow_scripts.ground.command import run
from workflow_scripts.ground.devices import claimed_device
from workflow_scripts.ground.encoders import encoder_metadata, save_encoder
from workflow_scripts.ground.handover import load_class_weights, save_class_weights
from workflow_scripts.training.loop import train
from workflow_scripts.training.outputs import begin, finish, training_parser
from workflow_scripts.training.selection import choice, class_rows, decoder, load_training_sets
from workflow_scripts.training.trajectories import trajectory_of
from workflow_scripts.training.vl2v.settings import Vl2vSdJob
from workflow_scripts.training.vl2v.task import Vl2vTask, phase_course
from workflow_scripts.training.vl2v.teacher import EncoderTeacher


def job(options: argparse.Namespace) -> None:
    """Decode the images, train the encoder, and hand it over with the zero-shot class weights as they were."""
    settings = Vl2vSdJob.parse(options.settings)
    zero_shot = load_class_weights(options.head)
    sets = load_training_sets(options.images, zero_shot.classes)
    inputs = [*options.images, options.clip, options.head]
    identity = begin(settings, code=options.code, inputs=inputs, threads=options.threads, output=options.output)
    keep = choice(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    rows = class_rows(len(zero_shot.classes), settings.base)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        seen = clip.preprocessing.seen_as(settings.preprocessing)
        decoded = decoder(sets, preprocessing=seen, keep=keep, threads=options.threads)
        task = Vl2vTask(
            model=clip.visual,
            settings=settings,
            images=decoded("training"),
            held_out=decoded("held-out"),
            head=zero_shot.heads["pretrained"]["weight"].to(device),
            rows=rows.to(device),
            trained=(rows >= 0).nonzero()[:, 0].to(device),
            preprocessing=seen,
            teacher=EncoderTeacher(copy.deepcopy(clip.visual).requires_grad_(False), seen),
            device=device,
        )
        records = train(
            task,
            course=phase_course(settings.training, task.images, settings, name="self-distillation"),
            optimiser=torch.optim.Adam(task.model.parameters(), lr=settings.training.learning_rate, fused=True),
            trajectory=trajectory_of(settings.averaging),
            checkpoint=identity.checkpoint(),
            device=device,
        )
    metadata = encoder_metadata(seen)
    save_encoder(options.output, task.model.state_dict(), metadata=metadata, identity=identity.values)
    heads = {"pretrained": zero_shot.heads["pretrained"]}
    save_class_weights(options.class_weights, heads, classes=zero_shot.classes)
    finish(
        identity,
        records=records,
        images=task.images,
        held_out=task.held_out,
        device=device,
        log=options.records,
        record=options.record,
    )


def main() -> None:
    """Run from the command line."""
    parser = training_parser(__doc__)
    parser.add_argument("--head", type=Path, required=True, help="class weights of the zero-shot head")
    parser.add_argument("--output", type=Path, required=True, help="trained image encoder to write")
    parser.add_argument("--class-weights", type=Path, required=True, help="class weights to write")
    run(job, parser)


if __name__ == "__main__":
    main()
