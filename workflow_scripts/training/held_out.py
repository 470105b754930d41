"""Validation of a training on its held-out images: one loop for every method."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from workflow_scripts.common.preprocessing import unit_pixels
from workflow_scripts.training.image_selection import SeenImages

BATCH = 256


@torch.no_grad()
def measure_held_out(seen: SeenImages, logits: Callable[[Tensor], Tensor], *, device: torch.device) -> dict[str, float]:
    """Return cross-entropy (`held_out_loss`) and accuracy (`held_out_accuracy`) on the held-out images.

    Args:
        seen: the images of the training.
        logits: from pictures (batch, 3, size, size) in 0..1 to logits (batch, trained classes) in float32.
        device: where the pictures go.
    """
    losses, hits = 0.0, 0
    images = seen.held_out
    for numbers in torch.arange(len(images)).split(BATCH):
        rows = seen.rows(images, numbers).to(device)
        values = logits(unit_pixels(torch.from_numpy(images.pixels[numbers.numpy()]), device))
        losses += float(nn.functional.cross_entropy(values, rows, reduction="sum"))
        hits += int((values.argmax(dim=-1) == rows).sum())
    return {"held_out_loss": losses / len(images), "held_out_accuracy": hits / len(images)}
