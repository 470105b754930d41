"""Learn the context of prompts with OGEN's feature generator, on frozen CLIP towers and images of base classes."""

import argparse
from pathlib import Path

import torch

from workflow_scripts.common.clip import Clip, load_clip
from workflow_scripts.common.constants import HELD_OUT
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.entry_point import run
from workflow_scripts.common.shards import load_image_set
from workflow_scripts.common.weights import save_weights
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.image_selection import image_loader, image_predicate
from workflow_scripts.training.loop import Schedule, epoch_batches, steps_per_epoch, train
from workflow_scripts.training.ogen.class_statistics import load_class_statistics
from workflow_scripts.training.ogen.generator import FeatureGenerator
from workflow_scripts.training.ogen.losses import epoch_rate
from workflow_scripts.training.ogen.prompt_learner import PromptLearner
from workflow_scripts.training.ogen.settings import OgenJob
from workflow_scripts.training.ogen.task import OgenModel, OgenTask
from workflow_scripts.training.outputs import begin, finish, training_parser


def job(options: argparse.Namespace) -> None:
    """Decode the images, train, and write both endpoints of the context, the training log and the metadata."""
    settings = OgenJob.parse(options.settings)
    sets = [load_image_set(manifest) for manifest in options.images]
    inputs = [*options.images, options.clip, options.statistics]
    identity = begin(settings, code=options.code, inputs=inputs, threads=options.threads, output=options.output)
    predicate = image_predicate(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        clip.model.requires_grad_(False)
        load_images = image_loader(sets, preprocessing=clip.preprocessing, predicate=predicate, threads=options.threads)
        base_labels, new_labels = base_and_new_labels(len(sets[0].classes), settings.base)
        model = make_model(clip, sets[0].classes, settings)
        start = model.learner.context.detach().clone()
        task = OgenTask(
            model=model,
            clip=clip,
            settings=settings,
            images=load_images("training"),
            held_out=load_images(HELD_OUT),
            statistics=load_class_statistics(options.statistics, device=device),
            base_labels=base_labels.to(device),
            new_labels=new_labels.to(device),
            device=device,
        )
        # One optimizer over context and generator, weight decay on both: so it is in the release.
        optimizer = torch.optim.SGD(
            model.parameters(),
            lr=settings.warmup_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        entries = train(
            task,
            schedule=schedule_of(settings, images=len(task.images)),
            optimizer=optimizer,
            averager=averager_of(settings.averaging),
            checkpoint=identity.checkpoint(),
            device=device,
        )
    endpoints = {"pretrained.context": start, "finetuned.context": model.learner.context}
    save_weights(options.output, endpoints, metadata=identity.values)
    finish(
        identity,
        entries=entries,
        images=task.images,
        held_out=task.held_out,
        device=device,
        training_log=options.training_log,
        metadata=options.metadata,
    )


def make_model(clip: Clip, classes: tuple[str, ...], settings: OgenJob) -> OgenModel:
    """Return context at its initial value and a fresh generator, whose weights come from the seed."""
    learner = PromptLearner(clip, classes, words=settings.context_words, context=settings.context)
    dimension = int(clip.model.visual.output_dim)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        generator = FeatureGenerator(dimension, heads=settings.attention_heads, dropout=settings.dropout)
    return OgenModel(learner, generator).to(clip.device)


def base_and_new_labels(classes: int, base: tuple[int, ...] | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sorted labels of base and of new classes; where there is no such division, all are base."""
    base_labels = torch.arange(classes) if base is None else torch.tensor(sorted(base))
    return base_labels, torch.tensor(sorted(set(range(classes)) - set(base_labels.tolist())), dtype=torch.long)


def schedule_of(settings: OgenJob, *, images: int) -> Schedule:
    """Return OGEN's schedule: shuffled full batches, one learning rate per epoch, no clipping."""
    steps_per_epoch(images, settings.batch_size)
    return Schedule(
        intervals=settings.epochs,
        batches=lambda epoch: epoch_batches(images, settings.batch_size, seed=settings.seed, epoch=epoch),
        learning_rate=lambda epoch, _: epoch_rate(
            epoch, base=settings.learning_rate, epochs=settings.epochs, warmup_rate=settings.warmup_rate
        ),
        gradient_clip=None,
        seed=settings.seed,
    )


def main() -> None:
    """Run from the command line."""
    parser = training_parser(__doc__)
    parser.add_argument("--statistics", type=Path, required=True, help="statistics of the base classes")
    parser.add_argument("--output", type=Path, required=True, help="both endpoints of the context to write")
    run(job, parser)


if __name__ == "__main__":
    main()
