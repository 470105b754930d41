"""What OGEN knows of the base classes' images: statistics, and the features themselves to draw exemplars from."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workflow_scripts.common.errors import InputError
from workflow_scripts.training.ogen.losses import mean_and_deviation


@dataclass(frozen=True)
class ClassStatistics:
    """Mean and deviation (base classes, d); unit features (images, d), sorted by class, and their places."""

    mean: Tensor
    std: Tensor
    features: Tensor
    starts: Tensor
    counts: Tensor

    def exemplars(self, classes: Tensor) -> Tensor:
        """Return the features of one random image of each class: from (..., ) class rows to (..., d)."""
        drawn = torch.rand(classes.shape, device=classes.device)
        places = self.starts[classes] + (drawn * self.counts[classes]).long()
        return self.features[places]


def class_statistics(
    features: Tensor, rows: Tensor, *, classes: Sequence[str], device: torch.device
) -> ClassStatistics:
    """Return the statistics of images' features, on a device.

    The release loads such statistics from files that nothing in it makes; these are ours: of the very images that are
    trained on, without augmentation.

    Args:
        features: unit features (images, d).
        rows: each image's row among the base classes (images).
        classes: names of the base classes.
        device: where they go.

    Raises:
        InputError: a class has no image.
    """
    counts = torch.bincount(rows, minlength=len(classes))
    if not counts.all():
        raise InputError(f"no training image of class {classes[int(counts.argmin())]!r}; ask for more images per class")
    mean, std = mean_and_deviation(features, rows, classes=len(classes))
    ordered = features[rows.argsort(stable=True)]
    starts = counts.cumsum(0) - counts
    return ClassStatistics(*(tensor.to(device) for tensor in (mean, std, ordered, starts, counts)))
