"""Learn the context of prompts with OGEN's feature generator, on frozen CLIP towers and images of base classes."""

import argparse
from pathlib import Path

import torch

from workflow_scripts.ground.clip import Clip, load_clip
from workflow_scripts.ground.command import run
from workflow_scripts.ground.devices import claimed_device
from workflow_scripts.ground.shards import load_image_set
from workflow_scripts.ground.weights import save_weights
from workflow_scripts.training.loop import Course, epoch_batches, steps_per_epoch, train
from workflow_scripts.training.ogen.evidence import load_evidence
from workflow_scripts.training.ogen.generator import FeatureGenerator
from workflow_scripts.training.ogen.losses import epoch_rate
from workflow_scripts.training.ogen.prompt_learner import PromptLearner
from workflow_scripts.training.ogen.settings import OgenJob
from workflow_scripts.training.ogen.task import OgenModel, OgenTask
from workflow_scripts.training.outputs import begin, finish, training_parser
from workflow_scripts.training.selection import choice, decoder
from workflow_scripts.training.trajectories import trajectory_of


def job(options: argparse.Namespace) -> None:
    """Decode the images, train, and write both ends of the context, the log and the record."""
    settings = OgenJob.parse(options.settings)
    sets = [load_image_set(manifest) for manifest in options.images]
    inputs = [*options.images, options.clip, options.statistics]
    identity = begin(settings, code=options.code, inputs=inputs, threads=options.threads, output=options.output)
    keep = choice(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        clip = load_clip(options.clip, device=device)
        clip.model.requires_grad_(False)
        decoded = decoder(sets, preprocessing=clip.preprocessing, keep=keep, threads=options.threads)
        known, new = halves(len(sets[0].classes), settings.base)
        model = make_model(clip, sets[0].classes, settings)
        start = model.learner.context.detach().clone()
        task = OgenTask(
            model=model,
            clip=clip,
            settings=settings,
            images=decoded("training"),
            held_out=decoded("held-out"),
            evidence=load_evidence(options.statistics, device=device),
            known=known.to(device),
            new=new.to(device),
            device=device,
        )
        # One optimiser over context and generator, weight decay on both: so it is in the release.
        optimiser = torch.optim.SGD(
            model.parameters(),
            lr=settings.warmup_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        records = train(
            task,
            course=course_of(settings, images=len(task.images)),
            optimiser=optimiser,
            trajectory=trajectory_of(settings.averaging),
            checkpoint=identity.checkpoint(),
            device=device,
        )
    ends = {"pretrained.context": start, "trained.context": model.learner.context}
    save_weights(options.output, ends, metadata=identity.values)
    finish(
        identity,
        records=records,
        images=task.images,
        held_out=task.held_out,
        device=device,
        log=options.records,
        record=options.record,
    )


def make_model(clip: Clip, classes: tuple[str, ...], settings: OgenJob) -> OgenModel:
    """Return context at its initial value and a fresh generator, whose weights come from the seed."""
    learner = PromptLearner(clip, classes, words=settings.context_words, context=settings.context)
    dimension = int(clip.model.visual.output_dim)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        generator = FeatureGenerator(dimension, heads=settings.heads, dropout=settings.dropout)
    return OgenModel(learner, generator).to(clip.device)


def halves(classes: int, base: tuple[int, ...] | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sorted labels of known and of new classes; without a split all are known."""
    known = torch.arange(classes) if base is None else torch.tensor(sorted(base))
    return known, torch.tensor(sorted(set(range(classes)) - set(known.tolist())), dtype=torch.long)


def course_of(settings: OgenJob, *, images: int) -> Course:
    """Return OGEN's course: shuffled full batches, one learning rate per epoch, no clipping."""
    steps_per_epoch(images, settings.batch_size)
    return Course(
        epochs=settings.epochs,
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
    parser.add_argument("--statistics", type=Path, required=True, help="statistics of the known classes")
    parser.add_argument("--output", type=Path, required=True, help="both ends of the context to write")
    run(job, parser)


if __name__ == "__main__":
    main()
