"""VL2V as a task of the training loop: a network learns from a teacher's image embeddings and from text embeddings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workflow_scripts.common.devices import autocast
from workflow_scripts.common.preprocessing import Preprocessing, unit_pixels
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.training.domainbed.sampling import augmented
from workflow_scripts.training.image_selection import SeenImages
from workflow_scripts.training.loop import LogEntry, freeze_batch_norm
from workflow_scripts.training.vl2v.losses import embedding_loss
from workflow_scripts.training.vl2v.settings import Vl2v
from workflow_scripts.training.vl2v.teacher import Teacher


@dataclass
class Vl2vTask:
    """A network in training against a teacher; `head` holds the zero-shot head's weights of all classes, never trained.

    Batch normalization keeps its running statistics, as in the release. What is frozen is left out of the optimizer
    and needs no gradient (the release computes unused gradients).
    """

    model: nn.Module
    settings: Vl2v
    seed: int
    seen: SeenImages
    head: Tensor
    preprocessing: Preprocessing
    teacher: Teacher
    device: torch.device

    def begin_interval(self, interval: int) -> None:
        """Put the network into training mode, without batch normalization."""
        self.model.train()
        freeze_batch_norm(self.model)

    def loss(self, batch: Tensor, *, interval: int, step: int) -> tuple[Tensor, LogEntry]:
        """Return VL2V's loss of a batch, and the mean cosines to image and text embeddings."""
        images = unit_pixels(torch.from_numpy(self.seen.training.pixels[batch.numpy()]), self.device)
        generator = torch.Generator().manual_seed(seed_of("crop", self.seed, step))
        images = augmented(images, self.settings.augmentation, generator=generator)
        labels = torch.from_numpy(self.seen.training.labels[batch.numpy()]).to(self.device)
        rows = self.seen.rows(self.seen.training, batch).to(self.device)
        target, text = self.teacher(batch, images), self.head[labels]
        with autocast(self.device, self.settings.precision):
            features = self.model(self.preprocessing.normalize(images))
        loss = embedding_loss(features, target, text, image_weight=self.settings.image_weight)
        with torch.no_grad():
            parts = {
                "loss": float(loss),
                "image_cosine": float(-embedding_loss(features, target, text, image_weight=1.0)),
                "text_cosine": float(-embedding_loss(features, target, text, image_weight=0.0)),
                "accuracy": float(self._logits(features).argmax(dim=-1).eq(rows).float().mean()),
            }
        return loss, parts

    def _logits(self, features: Tensor) -> Tensor:
        return nn.functional.normalize(features.float(), dim=-1) @ self.head[self.seen.trained_labels.to(self.device)].T

    def classifier(self) -> Callable[[Tensor], Tensor]:
        """Return the classifier as it stands; its held-out loss drives SWAD and nothing else."""

        def logits(pictures: Tensor) -> Tensor:
            with autocast(self.device, self.settings.precision):
                features = self.model(self.preprocessing.normalize(pictures))
            return self._logits(features)

        return logits

    def state(self) -> dict[str, Any]:
        """Return nothing: the network is all there is."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing was kept."""
