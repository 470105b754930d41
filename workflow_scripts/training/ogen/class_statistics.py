"""What OGEN knows of the base classes' images: statistics, and the features themselves to draw exemplars from."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.weights import load_weights


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


def load_class_statistics(path: Path, *, device: torch.device) -> ClassStatistics:
    """Read what `training.ogen.compute_class_statistics` wrote.

    Raises:
        InputError: the file is unreadable or holds something else.
    """
    tensors, _ = load_weights(path)
    if not {"mean", "std", "features", "rows"} <= tensors.keys():
        raise InputError(f"{path}: holds no class statistics; delete it and run snakemake again")
    return make_class_statistics(tensors["mean"], tensors["std"], tensors["features"], tensors["rows"], device=device)


def make_class_statistics(
    mean: Tensor, std: Tensor, features: Tensor, rows: Tensor, *, device: torch.device
) -> ClassStatistics:
    """Sort features (images, d) by their class rows (images) and put the class statistics together on a device."""
    order = rows.argsort(stable=True)
    counts = torch.bincount(rows, minlength=len(mean))
    starts = counts.cumsum(0) - counts
    return ClassStatistics(*(tensor.to(device) for tensor in (mean, std, features[order], starts, counts)))
