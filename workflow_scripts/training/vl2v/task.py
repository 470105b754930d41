"""VL2V as a task of the training loop: a network learns from a teacher's image embeddings and from text embeddings."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workflow_scripts.ground.devices import autocast
from workflow_scripts.ground.images import DecodedImages
from workflow_scripts.ground.preprocessing import Preprocessing, unit_pixels
from workflow_scripts.ground.seeds import seed_of
from workflow_scripts.training.augmentation import random_colours, random_flip, random_resized_crop
from workflow_scripts.training.loop import Course, Record, freeze_batch_norm
from workflow_scripts.training.vl2v.losses import domain_batches, embedding_loss
from workflow_scripts.training.vl2v.settings import Augmentation, Phase, Vl2vAdipJob, Vl2vSdJob
from workflow_scripts.training.vl2v.teacher import Teacher


@dataclass
class Vl2vTask:
    """A network in training against a teacher; `head` holds the class weights over all classes, never trained.

    Batch normalisation keeps its running statistics, as in the release. What is frozen is left out of the optimiser
    and needs no gradient (the release computes unused gradients).
    """

    model: nn.Module
    settings: Vl2vSdJob | Vl2vAdipJob
    images: DecodedImages
    held_out: DecodedImages
    head: Tensor
    rows: Tensor
    trained: Tensor
    preprocessing: Preprocessing
    teacher: Teacher
    device: torch.device

    def begin_epoch(self, epoch: int) -> None:
        """Put the network into training mode, without batch normalisation."""
        self.model.train()
        freeze_batch_norm(self.model)

    def loss(self, batch: Tensor, *, epoch: int, step: int) -> tuple[Tensor, Record]:
        """Return VL2V's loss of a batch, and the mean cosines to image and text embeddings."""
        images = unit_pixels(torch.from_numpy(self.images.pixels[batch.numpy()]), self.device)
        generator = torch.Generator().manual_seed(seed_of("crop", self.settings.seed, step))
        images = augmented(images, self.settings.augmentation, generator=generator)
        labels = torch.from_numpy(self.images.labels[batch.numpy()]).to(self.device)
        target, text = self.teacher(batch, images), self.head[labels]
        with autocast(self.device, self.settings.precision):
            features = self.model(self.preprocessing.normalise(images))
        loss = embedding_loss(features, target, text, image_weight=self.settings.image_weight)
        with torch.no_grad():
            parts = {
                "loss": float(loss),
                "image_cosine": float(-embedding_loss(features, target, text, image_weight=1.0)),
                "text_cosine": float(-embedding_loss(features, target, text, image_weight=0.0)),
                "accuracy": float(self._logits(features).argmax(dim=-1).eq(self.rows[labels]).float().mean()),
            }
        return loss, parts

    def _logits(self, features: Tensor) -> Tensor:
        return nn.functional.normalize(features.float(), dim=-1) @ self.head[self.trained].T

    @torch.no_grad()
    def check(self) -> Record:
        """Return cross-entropy (which drives SWAD and nothing else) and accuracy on the held-out images."""
        losses, hits = 0.0, 0
        for pixels, labels in self._held_out():
            with autocast(self.device, self.settings.precision):
                features = self.model(self.preprocessing.normalise(pixels))
            logits = self._logits(features)
            losses += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
            hits += int((logits.argmax(dim=-1) == labels).sum())
        return {"held_out_loss": losses / len(self.held_out), "held_out_accuracy": hits / len(self.held_out)}

    def _held_out(self) -> Iterator[tuple[Tensor, Tensor]]:
        for numbers in torch.arange(len(self.held_out)).split(256):
            pixels = unit_pixels(torch.from_numpy(self.held_out.pixels[numbers.numpy()]), self.device)
            labels = torch.from_numpy(self.held_out.labels[numbers.numpy()])
            yield pixels, self.rows[labels.to(self.device)]

    def state(self) -> Record:
        """Return nothing: the network is all there is."""
        return {}

    def restore(self, state: Record) -> None:
        """Nothing was kept."""


def augmented(images: Tensor, settings: Augmentation | None, *, generator: torch.Generator) -> Tensor:
    """Return augmented images, in 0..1 like the given ones; without settings they stay as they are."""
    if settings is None:
        return images
    images = random_resized_crop(images, smallest=settings.smallest_crop, generator=generator).clamp(0, 1)
    if settings.flip:
        images = random_flip(images, generator=generator)
    if settings.colours or settings.grey:
        images = random_colours(images, strength=settings.colours, grey=settings.grey)
    return images


def phase_course(phase: Phase, images: DecodedImages, settings: Vl2vSdJob | Vl2vAdipJob, *, name: str) -> Course:
    """Return the course of a phase: epochs of `check_every` steps, the last one shorter, one constant rate."""
    bounds = [*range(0, phase.steps, phase.check_every), phase.steps]
    domains = torch.from_numpy(images.domain)

    def batches(epoch: int) -> list[Tensor]:
        return domain_batches(
            domains,
            count=len(images.domains),
            per_domain=settings.batch_per_domain,
            steps=bounds[epoch + 1] - bounds[epoch],
            seed=settings.seed,
            epoch=epoch,
        )

    return Course(
        epochs=len(bounds) - 1,
        batches=batches,
        learning_rate=lambda *_: phase.learning_rate,
        gradient_clip=None,
        seed=settings.seed,
        name=name,
    )
