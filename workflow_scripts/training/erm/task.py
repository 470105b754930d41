"""ERM as a task of the training loop: cross-entropy of a student's linear classifier."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workflow_scripts.common.devices import autocast
from workflow_scripts.common.preprocessing import Preprocessing, unit_pixels
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.training.domainbed.sampling import augmented
from workflow_scripts.training.erm.settings import Erm
from workflow_scripts.training.image_selection import SeenImages
from workflow_scripts.training.loop import LogEntry, freeze_batch_norm


@dataclass
class ErmTask:
    """A student whose projection is the classifier. Batch normalization keeps its running statistics (DomainBed)."""

    model: nn.Module
    settings: Erm
    seed: int
    seen: SeenImages
    preprocessing: Preprocessing
    device: torch.device

    def begin_interval(self, interval: int) -> None:
        """Put the network into training mode, without batch normalization."""
        self.model.train()
        freeze_batch_norm(self.model)

    def loss(self, batch: Tensor, *, interval: int, step: int) -> tuple[Tensor, LogEntry]:
        """Return the cross-entropy of a batch, and the share that is recognized."""
        images = unit_pixels(torch.from_numpy(self.seen.training.pixels[batch.numpy()]), self.device)
        generator = torch.Generator().manual_seed(seed_of("crop", self.seed, step))
        images = augmented(images, self.settings.augmentation, generator=generator)
        logits, rows = self.classifier()(images), self.seen.rows(self.seen.training, batch).to(self.device)
        loss = nn.functional.cross_entropy(logits.float(), rows)
        accuracy = float((logits.detach().argmax(dim=-1) == rows).float().mean())
        return loss, {"loss": float(loss.detach()), "cross_entropy": float(loss.detach()), "accuracy": accuracy}

    def classifier(self) -> Callable[[Tensor], Tensor]:
        """Return the student as it stands."""

        def logits(pictures: Tensor) -> Tensor:
            with autocast(self.device, self.settings.precision):
                values: Tensor = self.model(self.preprocessing.normalize(pictures))
            return values

        return logits

    def state(self) -> dict[str, Any]:
        """Return nothing: the network is all there is."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing was kept."""
