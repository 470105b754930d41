"""The training loop that every method shares: batches, learning rates, checkpoints, validation, averaging."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from workflow_scripts.common.devices import repeatable_backward
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.logs import progress
from workflow_scripts.common.seeds import seed_of
from workflow_scripts.common.weights import verify_same_tensors
from workflow_scripts.ensembling.weight_averaging import WeightAverager
from workflow_scripts.training.checkpoints import load_checkpoint, save_checkpoint
from workflow_scripts.training.held_out import measure_held_out
from workflow_scripts.training.image_selection import SeenImages

logger = logging.getLogger(__name__)

LogEntry = dict[str, Any]


class Task(Protocol):
    """What a method brings to the loop.

    `model` holds all that is trained, and nothing that is large and frozen: it is what checkpoints keep and what is
    averaged along the training.
    """

    @property
    def model(self) -> nn.Module:
        """Return what is trained."""

    @property
    def seen(self) -> SeenImages:
        """Return the images that are trained on and validated with."""

    def begin_interval(self, interval: int) -> None:
        """Put every network into its training mode."""

    def loss(self, batch: Tensor, *, interval: int, step: int) -> tuple[Tensor, LogEntry]:
        """Return the loss of a batch of image numbers, and what the log says of it."""

    def classifier(self) -> Callable[[Tensor], Tensor]:
        """Return the classifier as it stands, for validation.

        It maps pictures (batch, 3, size, size) in 0..1 to logits (batch, trained classes) in float32.
        """

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps beside the model."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what a checkpoint kept."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How a training goes: its validation intervals' batches, its learning rates, its largest gradient, its seed."""

    intervals: int
    """Validation intervals: how often the training stops to validate. One is an epoch of fine-tuning and of OGEN."""
    batches: Callable[[int], Sequence[Tensor]]
    """From an interval to its batches of image numbers; the same again after a resume."""
    learning_rate: Callable[[int, int], float]
    """From interval and step (both 0-based, steps over all intervals) to the learning rate."""
    gradient_clip: float | None
    seed: int
    name: str = "training"


def train(
    task: Task,
    *,
    schedule: Schedule,
    optimizer: torch.optim.Optimizer,
    averager: WeightAverager,
    checkpoint: Path,
    device: torch.device,
) -> list[LogEntry]:
    """Train all intervals, from the checkpoint's last one on if there is one, and load the average into the model.

    All randomness of a step comes from the seed and the step, so that a resumed training equals an undisturbed one.

    Returns:
        The log entries of all steps and validations.

    Raises:
        InputError: a loss or a weight is not finite.
    """
    entries: list[LogEntry] = []
    first = 0
    state = load_checkpoint(checkpoint, device=device)
    if state is not None:
        verify_same_tensors(task.model.state_dict(), state["model"], what=f"{checkpoint} (delete it to start anew)")
        task.model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        averager.restore(state["averager"])
        task.restore(state["task"])
        entries, first = state["entries"], state["interval"] + 1
    logger.info("%s starts at validation interval %d of %d", schedule.name, first, schedule.intervals)
    for interval in range(first, schedule.intervals):
        # Counted, not computed: an interval may be shorter than the others.
        step = sum(entry["kind"] == "step" for entry in entries)
        entries += _train_interval(task, schedule, optimizer, averager, interval=interval, first_step=step)
        task.model.eval()
        measured = measure_held_out(task.seen, task.classifier(), device=device)
        averager.after_validation(dict(task.model.named_parameters()), held_out_loss=measured["held_out_loss"])
        logger.info(
            "%s, interval %d: %s", schedule.name, interval, ", ".join(f"{k} {v:.4f}" for k, v in measured.items())
        )
        entries.append({"kind": "validation", "interval": interval, **measured})
        save_checkpoint(
            checkpoint,
            {
                "model": task.model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "averager": averager.state(),
                "task": task.state(),
                "interval": interval,
                "entries": entries,
            },
        )
    return entries + _load_average(task, averager, schedule, device)


def _load_average(task: Task, averager: WeightAverager, schedule: Schedule, device: torch.device) -> list[LogEntry]:
    average = averager.result()
    task.model.eval()
    if average is None:
        return []
    with torch.no_grad():
        for name, parameter in task.model.named_parameters():
            parameter.copy_(average[name])
    measured = measure_held_out(task.seen, task.classifier(), device=device)
    logger.info("%s, averaged: %s", schedule.name, ", ".join(f"{k} {v:.4f}" for k, v in measured.items()))
    return [{"kind": "averaged", "interval": schedule.intervals - 1, **measured}]


def _train_interval(
    task: Task,
    schedule: Schedule,
    optimizer: torch.optim.Optimizer,
    averager: WeightAverager,
    *,
    interval: int,
    first_step: int,
) -> list[LogEntry]:
    task.begin_interval(interval)
    entries = []
    what = f"{schedule.name}, interval {interval + 1}/{schedule.intervals}"
    for step, batch in enumerate(progress(schedule.batches(interval), what=what), start=first_step):
        rate = schedule.learning_rate(interval, step)
        torch.manual_seed(seed_of("step", schedule.seed, schedule.name, step))
        loss, parts = task.loss(batch, interval=interval, step=step)
        if not torch.isfinite(loss):
            raise _diverged(f"the loss is {loss.item()}", interval=interval, step=step, rate=rate)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        repeatable_backward(loss)
        if schedule.gradient_clip is not None:
            nn.utils.clip_grad_norm_(task.model.parameters(), schedule.gradient_clip)
        optimizer.step()
        averager.after_step(dict(task.model.named_parameters()))
        entries.append({"kind": "step", "interval": interval, "step": step, "learning_rate": rate, **parts})
    if not all(torch.isfinite(parameter).all() for parameter in task.model.parameters()):
        # The next step's loss would say so, but a checkpoint or the result comes first.
        raise _diverged("a weight is not finite", interval=interval, step=step, rate=rate)
    return entries


def _diverged(what: str, *, interval: int, step: int, rate: float) -> InputError:
    resumable = (
        f"the last good checkpoint is that of interval {interval - 1}" if interval else "there is no checkpoint yet"
    )
    return InputError(
        f"{what} at step {step} with learning rate {rate:.3g}: lower the method's learning_rate; {resumable}"
    )


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


def epoch_batches(images: int, batch_size: int, *, seed: int, epoch: int) -> list[Tensor]:
    """Return the image numbers of every batch of an epoch; the order depends on seed and epoch alone."""
    order = torch.randperm(images, generator=torch.Generator().manual_seed(seed_of("order", seed, epoch)))
    return list(order[: images // batch_size * batch_size].split(batch_size))


def freeze_batch_norm(model: nn.Module) -> None:
    """Keep the running statistics of batch normalization; its affine parameters still train."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
