"""Fine-tune a CLIP's image encoder and its zero-shot head on images, plain or with RegFT's regularizer."""

import argparse
from pathlib import Path

import torch

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.constants import HELD_OUT
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.entry_point import run
from workflow_scripts.common.weights import StateDict
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.finetune_settings import FinetuneJob
from workflow_scripts.training.finetune_task import FinetuneTask
from workflow_scripts.training.heads import ImageClassifier, LinearHead
from workflow_scripts.training.image_selection import image_loader, image_predicate, label_rows, load_training_sets
from workflow_scripts.training.learning_rates import learning_rate, warmup_steps
from workflow_scripts.training.loop import Schedule, epoch_batches, steps_per_epoch, train
from workflow_scripts.training.outputs import begin, finish, training_parser


def job(options: argparse.Namespace) -> None:
    """Decode the images, train, and write artifacts, training log and metadata; the checkpoint goes last."""
    settings = FinetuneJob.parse(options.settings)
    zero_shot = load_head(options.zero_shot_head)
    sets = load_training_sets(options.images, zero_shot.classes)
    inputs = [*options.images, options.clip, options.zero_shot_head]
    identity = begin(settings, code=options.code, inputs=inputs, threads=options.threads, output=options.output)
    predicate = image_predicate(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    start = zero_shot.variants["pretrained"]
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        load_images = image_loader(sets, preprocessing=clip.preprocessing, predicate=predicate, threads=options.threads)
        task = FinetuneTask(
            model=ImageClassifier(clip.visual, LinearHead(**trained_rows(start, settings.base))).to(device),
            settings=settings,
            images=load_images("training"),
            held_out=load_images(HELD_OUT),
            label_rows=label_rows(len(zero_shot.classes), settings.base),
            preprocessing=clip.preprocessing,
            device=device,
        )
        # AdamW on all tensors with one weight decay, as in the release.
        optimizer = torch.optim.AdamW(
            task.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        entries = train(
            task,
            schedule=schedule_of(settings, images=len(task.images)),
            optimizer=optimizer,
            averager=averager_of(settings.averaging),
            checkpoint=identity.checkpoint(),
            device=device,
        )
    described = encoder_metadata(clip.preprocessing)
    save_encoder(options.output, task.model.encoder.state_dict(), metadata=described, identity=identity.values)
    finetuned = whole_head(start, task.model.head.state_dict(), settings.base)
    heads = {"pretrained": start, "finetuned": finetuned}
    save_head(options.output_head, heads, classes=zero_shot.classes)
    finish(
        identity,
        entries=entries,
        images=task.images,
        held_out=task.held_out,
        device=device,
        training_log=options.training_log,
        metadata=options.metadata,
    )


def trained_rows(head: StateDict, base: tuple[int, ...] | None) -> StateDict:
    """Return the rows of the zero-shot head that are parameters: all, or those of the base classes."""
    return head if base is None else {name: tensor[list(base)] for name, tensor in head.items()}


def whole_head(start: StateDict, trained: StateDict, base: tuple[int, ...] | None) -> StateDict:
    """Return the head over all classes; rows that were no parameters stay zero-shot, bit by bit."""
    if base is None:
        return trained
    whole = {name: tensor.clone() for name, tensor in start.items()}
    for name, tensor in trained.items():
        whole[name][list(base)] = tensor.detach().cpu()
    return whole


def schedule_of(settings: FinetuneJob, *, images: int) -> Schedule:
    """Return RegFT's schedule: shuffled full batches, linear warm-up, cosine to zero."""
    total = steps_per_epoch(images, settings.batch_size) * settings.epochs
    warmup = warmup_steps(total, warmup_fraction=settings.warmup_fraction)
    return Schedule(
        intervals=settings.epochs,
        batches=lambda epoch: epoch_batches(images, settings.batch_size, seed=settings.seed, epoch=epoch),
        learning_rate=lambda _, step: learning_rate(step, base=settings.learning_rate, warmup=warmup, total=total),
        gradient_clip=settings.gradient_clip,
        seed=settings.seed,
    )


def main() -> None:
    """Run from the command line."""
    parser = training_parser(__doc__)
    parser.add_argument("--zero-shot-head", type=Path, required=True, help="the zero-shot head")
    parser.add_argument("--output", type=Path, required=True, help="trained image encoder to write")
    parser.add_argument("--output-head", type=Path, required=True, help="head to write, with both endpoints")
    run(job, parser)


if __name__ == "__main__":
    main()
