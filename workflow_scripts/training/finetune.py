"""Fine-tune a CLIP's image encoder and its zero-shot head on images, plain or with RegFT's regulariser."""

import argparse
from pathlib import Path

import torch

from workflow_scripts.ground.clip import load_clip
from workflow_scripts.ground.command import run
from workflow_scripts.ground.devices import claimed_device
from workflow_scripts.ground.encoders import encoder_metadata, save_encoder
from workflow_scripts.ground.handover import load_class_weights, save_class_weights
from workflow_scripts.ground.weights import StateDict
from workflow_scripts.training.finetune_settings import FinetuneJob
from workflow_scripts.training.finetune_task import FinetuneTask
from workflow_scripts.training.heads import ImageClassifier, LinearHead
from workflow_scripts.training.loop import Course, epoch_batches, steps_per_epoch, train
from workflow_scripts.training.outputs import begin, finish, training_parser
from workflow_scripts.training.schedule import learning_rate, warmup_steps
from workflow_scripts.training.selection import choice, class_rows, decoder, load_training_sets
from workflow_scripts.training.trajectories import trajectory_of


def job(options: argparse.Namespace) -> None:
    """Decode the images, train, and write weights, log and record; the checkpoint goes when all is written."""
    settings = FinetuneJob.parse(options.settings)
    zero_shot = load_class_weights(options.head)
    sets = load_training_sets(options.images, zero_shot.classes)
    inputs = [*options.images, options.clip, options.head]
    identity = begin(settings, code=options.code, inputs=inputs, threads=options.threads, output=options.output)
    keep = choice(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    start = zero_shot.heads["pretrained"]
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        decoded = decoder(sets, preprocessing=clip.preprocessing, keep=keep, threads=options.threads)
        task = FinetuneTask(
            model=ImageClassifier(clip.visual, LinearHead(**trained_rows(start, settings.base))).to(device),
            settings=settings,
            images=decoded("training"),
            held_out=decoded("held-out"),
            rows=class_rows(len(zero_shot.classes), settings.base),
            preprocessing=clip.preprocessing,
            device=device,
        )
        # AdamW on all tensors with one weight decay, as in the release.
        optimiser = torch.optim.AdamW(
            task.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        records = train(
            task,
            course=course_of(settings, images=len(task.images)),
            optimiser=optimiser,
            trajectory=trajectory_of(settings.averaging),
            checkpoint=identity.checkpoint(),
            device=device,
        )
    metadata = encoder_metadata(clip.preprocessing)
    save_encoder(options.output, task.model.encoder.state_dict(), metadata=metadata, identity=identity.values)
    trained = whole_head(start, task.model.head.state_dict(), settings.base)
    heads = {"pretrained": start, "trained": trained}
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


def trained_rows(head: StateDict, base: tuple[int, ...] | None) -> StateDict:
    """Return the rows of the zero-shot head that are parameters: all, or those of the base classes."""
    return head if base is None else {name: tensor[list(base)] for name, tensor in head.items()}


def whole_head(start: StateDict, trained: StateDict, base: tuple[int, ...] | None) -> StateDict:
    """Return class weights over all classes; rows that were no parameters stay zero-shot, bit by bit."""
    if base is None:
        return trained
    whole = {name: tensor.clone() for name, tensor in start.items()}
    for name, tensor in trained.items():
        whole[name][list(base)] = tensor.detach().cpu()
    return whole


def course_of(settings: FinetuneJob, *, images: int) -> Course:
    """Return RegFT's course: shuffled full batches, linear warm-up, cosine to zero."""
    total = steps_per_epoch(images, settings.batch_size) * settings.epochs
    warmup = warmup_steps(total, warmup_fraction=settings.warmup_fraction)
    return Course(
        epochs=settings.epochs,
        batches=lambda epoch: epoch_batches(images, settings.batch_size, seed=settings.seed, epoch=epoch),
        learning_rate=lambda _, step: learning_rate(step, base=settings.learning_rate, warmup=warmup, total=total),
        gradient_clip=settings.gradient_clip,
        seed=settings.seed,
    )


def main() -> None:
    """Run from the command line."""
    parser = training_parser(__doc__)
    parser.add_argument("--head", type=Path, required=True, help="class weights of the zero-shot head")
    parser.add_argument("--output", type=Path, required=True, help="trained image encoder to write")
    parser.add_argument("--class-weights", type=Path, required=True, help="both ends of the class weights to write")
    run(job, parser)


if __name__ == "__main__":
    main()
