"""Fine-tune a CLIP's image encoder and its zero-shot head on images, plain or with RegFT's regularizer."""

from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.run_files import ENCODER, HEAD
from workflow_scripts.common.weights import StateDict
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.finetune.task import FinetuneTask
from workflow_scripts.training.heads import ImageClassifier, LinearHead
from workflow_scripts.training.image_selection import load_seen_images
from workflow_scripts.training.job import Training, TrainingInputs, TrainingPhase, training_main
from workflow_scripts.training.learning_rates import learning_rate, warmup_steps
from workflow_scripts.training.loop import Schedule, epoch_batches, steps_per_epoch
from workflow_scripts.training.method_settings import TrainingJob


def build(job: TrainingJob[Finetune], inputs: TrainingInputs) -> Training:
    """Put encoder and zero-shot head together; both are trained, and written."""
    settings = job.method
    zero_shot = load_head(inputs.zero_shot_head)
    start = zero_shot.endpoints["pretrained"]
    clip = load_clip(inputs.clip, device=inputs.device)
    seen = load_seen_images(
        inputs.images, job, preprocessing=clip.preprocessing, threads=inputs.threads, classes=zero_shot.classes
    )
    task = FinetuneTask(
        model=ImageClassifier(clip.visual, LinearHead(**trained_rows(start, job.base))).to(inputs.device),
        settings=settings,
        seed=job.seed,
        seen=seen,
        preprocessing=clip.preprocessing,
        device=inputs.device,
    )
    # AdamW on all tensors with one weight decay, as in the release.
    optimizer = torch.optim.AdamW(
        task.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    phase = TrainingPhase(
        task=task,
        schedule=schedule_of(settings, images=len(seen.training), seed=job.seed),
        optimizer=optimizer,
        averager=averager_of(settings.averaging),
    )

    def save(folder: Path, identity: dict[str, Any]) -> None:
        encoder = task.model.encoder.state_dict()
        save_encoder(folder / ENCODER, encoder, metadata=encoder_metadata(clip.preprocessing), identity=identity)
        finetuned = whole_head(start, task.model.head.state_dict(), job.base)
        save_head(folder / HEAD, {"pretrained": start, "finetuned": finetuned}, classes=zero_shot.classes)

    return Training(phases=[phase], save=save, seen=seen)


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


def schedule_of(settings: Finetune, *, images: int, seed: int) -> Schedule:
    """Return RegFT's schedule: shuffled full batches, linear warm-up, cosine to zero."""
    total = steps_per_epoch(images, settings.batch_size) * settings.epochs
    warmup = warmup_steps(total, warmup_fraction=settings.warmup_fraction)
    return Schedule(
        intervals=settings.epochs,
        batches=lambda epoch: epoch_batches(images, settings.batch_size, seed=seed, epoch=epoch),
        learning_rate=lambda _, step: learning_rate(step, base=settings.learning_rate, warmup=warmup, total=total),
        gradient_clip=settings.gradient_clip,
        seed=seed,
    )


if __name__ == "__main__":
    training_main(Finetune, build, __doc__)
