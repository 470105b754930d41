"""The training loop of image classifiers: plain cross-entropy, or with variance-covariance regularisation."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workflow_scripts.ground.devices import autocast
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.images import DecodedImages
from workflow_scripts.ground.logs import progress
from workflow_scripts.ground.seeds import seed_of
from workflow_scripts.ground.weights import check_same_tensors
from workflow_scripts.training.augmentation import random_resized_crop
from workflow_scripts.training.checkpoints import load_checkpoint, save_checkpoint
from workflow_scripts.training.finetune_settings import FinetuneJob
from workflow_scripts.training.heads import ImageClassifier
from workflow_scripts.training.losses import covariance_matrix, covariance_term, variance_term
from workflow_scripts.training.schedule import learning_rate, warmup_steps
from workflow_scripts.training.spread import feature_spread

logger = logging.getLogger(__name__)

Record = dict[str, Any]
Normalise = Callable[[Tensor], Tensor]


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Return the number of full batches; the incomplete last one is dropped.

    Raises:
        InputError: there is not even one full batch.
    """
    if images < batch_size:
        raise InputError(
            f"{images} training images are fewer than one batch of {batch_size}: "
            "lower the method's batch_size or raise the generator's images_per_class"
        )
    return images // batch_size


def objective(features: Tensor, logits: Tensor, labels: Tensor, settings: FinetuneJob) -> tuple[Tensor, Record]:
    """Return RegFT's loss CE + a * L_V + b * L_C of a batch, and its parts (methods of weight 0 see plain CE).

    Args:
        features: un-normalised, (batch, dimension), float32.
        logits: (batch, classes), float32.
        labels: (batch), int64.
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
        **feature_spread(features.detach()),
    }
    return loss, parts


def epoch_batches(images: int, batch_size: int, *, seed: int, epoch: int) -> list[Tensor]:
    """Return the image numbers of every batch of an epoch; the order depends on seed and epoch alone."""
    order = torch.randperm(images, generator=torch.Generator().manual_seed(seed_of("order", seed, epoch)))
    return list(order[: images // batch_size * batch_size].split(batch_size))


@dataclass
class Trainer:
    """A classifier in training: model, optimiser, images, and the records so far."""

    model: ImageClassifier
    optimiser: torch.optim.Optimizer
    settings: FinetuneJob
    images: DecodedImages
    held_out: DecodedImages
    normalise: Normalise
    device: torch.device

    def train(self, checkpoint: Path) -> list[Record]:
        """Train all epochs, from the checkpoint's last one on if there is one; return the records of all steps.

        Raises:
            InputError: there are fewer images than one batch.
        """
        steps = steps_per_epoch(len(self.images), self.settings.batch_size)
        records: list[Record] = []
        first = 0
        state = load_checkpoint(checkpoint, device=self.device)
        if state is not None:
            check_same_tensors(self.model.state_dict(), state["model"], what=f"{checkpoint} (delete it to start anew)")
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            records, first = state["records"], state["epoch"] + 1
        logger.info("training starts at epoch %d of %d, %d steps each", first, self.settings.epochs, steps)
        for epoch in range(first, self.settings.epochs):
            records += self._train_epoch(epoch, steps)
            records.append(self._evaluate_epoch(epoch))
            save_checkpoint(
                checkpoint,
                {
                    "model": self.model.state_dict(),
                    "optimiser": self.optimiser.state_dict(),
                    "epoch": epoch,
                    "records": records,
                },
            )
        return records

    def _train_epoch(self, epoch: int, steps: int) -> list[Record]:
        settings = self.settings
        self.model.train()
        if settings.freeze_batch_norm:
            freeze_batch_norm(self.model)
        total = steps * settings.epochs
        warmup = warmup_steps(total, warmup_fraction=settings.warmup_fraction)
        batches = epoch_batches(len(self.images), settings.batch_size, seed=settings.seed, epoch=epoch)
        records = []
        for number, batch in enumerate(progress(batches, what=f"epoch {epoch + 1}/{settings.epochs}")):
            step = epoch * steps + number
            rate = learning_rate(step, base=settings.learning_rate, warmup=warmup, total=total)
            parts = self._step(batch, rate, step)
            records.append({"kind": "step", "epoch": epoch, "step": step, "learning_rate": rate, **parts})
        return records

    def _step(self, batch: Tensor, rate: float, step: int) -> Record:
        settings = self.settings
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        pixels = torch.from_numpy(self.images.pixels[batch.numpy()])
        labels = torch.from_numpy(self.images.labels[batch.numpy()]).to(self.device)
        generator = torch.Generator().manual_seed(seed_of("crop", settings.seed, step))
        inputs = random_resized_crop(self.normalise(pixels), smallest=settings.smallest_crop, generator=generator)
        with autocast(self.device, settings.precision):
            features, logits = self.model(inputs)
        loss, parts = objective(features, logits, labels, settings)
        if not torch.isfinite(loss):
            raise InputError(
                f"the loss is {float(loss)} at step {step} with learning rate {rate:.3g}: lower the method's "
                "learning_rate or gradient_clip; finished epochs stay in the checkpoint beside the output"
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), settings.gradient_clip)
        self.optimiser.step()
        return parts

    @torch.no_grad()
    def _evaluate_epoch(self, epoch: int) -> Record:
        self.model.eval()
        losses, hits = 0.0, 0
        for pixels, labels in self._held_out_batches():
            with autocast(self.device, self.settings.precision):
                _, logits = self.model(self.normalise(pixels))
            losses += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
            hits += int((logits.argmax(dim=-1) == labels).sum())
        count = len(self.held_out)
        logger.info("epoch %d: held-out loss %.4f, accuracy %.4f", epoch, losses / count, hits / count)
        return {
            "kind": "epoch",
            "epoch": epoch,
            "held_out_loss": losses / count,
            "held_out_accuracy": hits / count,
        }

    def _held_out_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(self.held_out), self.settings.batch_size):
            stop = start + self.settings.batch_size
            labels = torch.from_numpy(self.held_out.labels[start:stop]).to(self.device)
            yield torch.from_numpy(self.held_out.pixels[start:stop]), labels


def freeze_batch_norm(model: nn.Module) -> None:
    """Keep the running statistics of batch normalisation; its affine parameters still train."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
