"""Fine-tuning of an image classifier: plain cross-entropy, or with variance-covariance regularization."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workflow_scripts.common.devices import autocast
from workflow_scripts.common.preprocessing import Preprocessing, unit_pixels
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.training.augmentation import random_resized_crop
from workflow_scripts.training.feature_diversity import feature_diversity
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.heads import ImageClassifier
from workflow_scripts.training.image_selection import SeenImages
from workflow_scripts.training.learning_rates import learning_rate, warmup_steps
from workflow_scripts.training.loop import LogEntry, Schedule, epoch_batches, freeze_batch_norm, steps_per_epoch
from workflow_scripts.training.losses import covariance_matrix, covariance_term, variance_term


def objective(features: Tensor, logits: Tensor, labels: Tensor, settings: Finetune) -> tuple[Tensor, LogEntry]:
    """Return RegFT's loss CE + a * L_V + b * L_C of a batch, and its parts (methods of weight 0 see plain CE).

    Args:
        features: un-normalized, (batch, dimension), float32.
        logits: (batch, trained classes), float32.
        labels: (batch), rows among the trained classes, int64.
        settings: the weights.
    """
    cross_entropy = nn.functional.cross_entropy(logits, labels, label_smoothing=settings.label_smoothing)
    covariance = covariance_matrix(features)
    variance_loss, covariance_loss = variance_term(covariance), covariance_term(covariance)
    loss = cross_entropy
    if settings.variance_weight or settings.covariance_weight:
        loss = loss + settings.variance_weight * variance_loss + settings.covariance_weight * covariance_loss
    parts = {
        "loss": float(loss.detach()),
        "cross_entropy": float(cross_entropy.detach()),
        "variance": float(variance_loss.detach()),
        "covariance": float(covariance_loss.detach()),
        "accuracy": float((logits.detach().argmax(dim=-1) == labels).float().mean()),
        **feature_diversity(features.detach()),
    }
    return loss, parts


@dataclass
class FinetuneTask:
    """A classifier whose encoder and head are trained, or the head alone; it has a row per trained class."""

    model: ImageClassifier
    settings: Finetune
    seed: int
    seen: SeenImages
    preprocessing: Preprocessing
    device: torch.device

    def begin_interval(self, interval: int) -> None:
        """Put the classifier into training mode."""
        self.model.train()
        if self.settings.freeze_encoder:
            self.model.encoder.eval()
        if self.settings.freeze_batch_norm:
            freeze_batch_norm(self.model)

    def loss(self, batch: Tensor, *, interval: int, step: int) -> tuple[Tensor, LogEntry]:
        """Return the objective of a batch of randomly cropped images."""
        images = self.seen.training
        pixels = unit_pixels(torch.from_numpy(images.pixels[batch.numpy()]), self.device)
        generator = torch.Generator().manual_seed(seed_of("crop", self.seed, step))
        # Cropped after normalizing: bicubic overshoot is not clipped, as in the resize of a float image.
        inputs = random_resized_crop(
            self.preprocessing.normalize(pixels), min_scale=self.settings.min_crop_scale, generator=generator
        )
        with autocast(self.device, self.settings.precision):
            features, logits = self.model(inputs)
        return objective(features, logits, self.seen.rows(images, batch).to(self.device), self.settings)

    def classifier(self) -> Callable[[Tensor], Tensor]:
        """Return the classifier as it stands."""

        def logits(pictures: Tensor) -> Tensor:
            with autocast(self.device, self.settings.precision):
                values: Tensor = self.model(self.preprocessing.normalize(pictures))[1]
            return values

        return logits

    def state(self) -> dict[str, Any]:
        """Return nothing: the model is all there is."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing was kept."""


def optimizer_of(model: ImageClassifier, settings: Finetune) -> torch.optim.Optimizer:
    """Return AdamW on all that is trained, with one weight decay, as in the release; the rest is frozen."""
    model.encoder.requires_grad_(not settings.freeze_encoder)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)


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
