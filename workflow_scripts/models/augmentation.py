"""How pretraining varies its images: shifts over white, and mirror images."""

import torch
from torch import Tensor


def varied(images: Tensor, *, max_shift: int, flips: bool, generator: torch.Generator) -> Tensor:
    """Return images shifted along both axes and, half of them, mirrored.

    Args:
        images: (images, 3, height, width), white being 1.
        max_shift: largest shift in pixels; white comes in.
        flips: whether any is mirrored.
        generator: decides; it is not asked where nothing is to be decided.
    """
    if max_shift:
        images = _shifted(images, max_shift, generator)
    if flips:
        mirrored = torch.rand(len(images), generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    return images


def _shifted(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    count, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, (most,) * 4, value=1.0)
    down, right = torch.randint(0, 2 * most + 1, (2, count), generator=generator)
    rows = (down[:, None] + torch.arange(height))[:, None, :, None]
    columns = (right[:, None] + torch.arange(width))[:, None, None, :]
    return padded[torch.arange(count)[:, None, None, None], torch.arange(3)[:, None, None], rows, columns]
