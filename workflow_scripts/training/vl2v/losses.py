"""VL2V's loss, a pure function of embeddings, and its sampling of domains."""

import torch
from torch import Tensor, nn

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.seeds import seed_of


def embedding_loss(student: Tensor, image: Tensor, text: Tensor, *, image_weight: float) -> Tensor:
    """Return L = -(lambda * mean cos(PF, I) + (1 - lambda) * mean cos(PF, T)), without a temperature.

    The paper writes the symmetric form, equal at lambda = 0.5. All three are normalized here, so that no scale
    matters; with a mean squared error the scale of T would.

    Args:
        student: projected features PF, (batch, dimension).
        image: the teacher's image embeddings I, (batch, dimension).
        text: the text embeddings T of the images' classes, (batch, dimension).
        image_weight: lambda.
    """
    features = nn.functional.normalize(student.float(), dim=-1)
    to_image = (features * nn.functional.normalize(image.float(), dim=-1)).sum(dim=-1).mean()
    to_text = (features * nn.functional.normalize(text.float(), dim=-1)).sum(dim=-1).mean()
    return -(image_weight * to_image + (1.0 - image_weight) * to_text)


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
