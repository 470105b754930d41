"""What a step of DomainBed's protocol sees: images of each domain, augmented; and how steps make a phase."""

import torch
from torch import Tensor

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.training.augmentation import random_color_jitter, random_flip, random_resized_crop
from workflow_scripts.training.domainbed.settings import Augmentation, Phase
from workflow_scripts.training.loop import Schedule


def augmented(images: Tensor, settings: Augmentation | None, *, generator: torch.Generator) -> Tensor:
    """Return augmented images, in 0..1 like the given ones; without settings they stay as they are."""
    if settings is None:
        return images
    images = random_resized_crop(images, min_scale=settings.min_crop_scale, generator=generator).clamp(0, 1)
    if settings.flip:
        images = random_flip(images, generator=generator)
    if settings.color_jitter or settings.grayscale:
        images = random_color_jitter(images, strength=settings.color_jitter, grayscale=settings.grayscale)
    return images


def phase_schedule(phase: Phase, images: DecodedImages, *, per_domain: int, seed: int, name: str) -> Schedule:
    """Return the schedule of a phase: intervals of `validate_every` steps, the last one shorter, one constant rate.

    Args:
        phase: its steps and its rate.
        images: those that are trained on.
        per_domain: images per step and domain.
        seed: of the run.
        name: of the phase.
    """
    bounds = [*range(0, phase.steps, phase.validate_every), phase.steps]
    domains = torch.from_numpy(images.domain)

    def batches(interval: int) -> list[Tensor]:
        return domain_batches(
            domains,
            count=len(images.domains),
            per_domain=per_domain,
            steps=bounds[interval + 1] - bounds[interval],
            seed=seed,
            interval=interval,
        )

    return Schedule(
        intervals=len(bounds) - 1,
        batches=batches,
        learning_rate=lambda *_: phase.learning_rate,
        gradient_clip=None,
        seed=seed,
        name=name,
    )


def domain_batches(
    domains: Tensor, *, count: int, per_domain: int, steps: int, seed: int, interval: int
) -> list[Tensor]:
    """Return image numbers of every step: `per_domain` of each domain, drawn with replacement.

    Args:
        domains: each image's domain, (images).
        count: number of domains.
        per_domain: images of each domain per step.
        steps: steps of this validation interval.
        seed: the run's seed.
        interval: which of its validation intervals.

    Raises:
        InputError: a domain has no image.
    """
    generator = torch.Generator().manual_seed(seed_of("domains", seed, interval))
    members = [(domains == number).nonzero()[:, 0] for number in range(count)]
    empty = [number for number, numbers in enumerate(members) if not len(numbers)]
    if empty:
        raise InputError(f"domain number {empty[0]} has no training image; ask for more images per class")
    drawn = [numbers[torch.randint(len(numbers), (steps, per_domain), generator=generator)] for numbers in members]
    return list(torch.cat(drawn, dim=1))
