"""The training loop that every method shares: batches, learning rates, checkpoints, held-out checks, averaging."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from workflow_scripts.ensembling.trajectory import Trajectory
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.logs import progress
from workflow_scripts.ground.seeds import seed_of
from workflow_scripts.ground.weights import check_same_tensors
from workflow_scripts.training.checkpoints import load_checkpoint, save_checkpoint

logger = logging.getLogger(__name__)

Record = dict[str, Any]


class Task(Protocol):
    """What a method brings to the loop.

    `model` holds all that is trained, and nothing that is large and frozen: it is what checkpoints keep and what is
    averaged along the training.
    """

    @property
    def model(self) -> nn.Module:
        """Return what is trained."""

    def begin_epoch(self, epoch: int) -> None:
        """Put every network into its training mode."""

    def loss(self, batch: Tensor, *, epoch: int, step: int) -> tuple[Tensor, Record]:
        """Return the loss of a batch of image numbers, and what the log says of it."""

    def check(self) -> Record:
        """Return `held_out_loss` and what else is measured on held-out training images."""

    def state(self) -> Record:
        """Return what a checkpoint keeps beside the model."""

    def restore(self, state: Record) -> None:
        """Take up what a checkpoint kept."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a training goes: its epochs' batches, its learning rates, its largest gradient, its seed."""

    epochs: int
    batches: Callable[[int], Sequence[Tensor]]
    """From an epoch to its batches of image numbers; the same again after a resume."""
    learning_rate: Callable[[int, int], float]
    """From epoch and step (both 0-based, steps over all epochs) to the learning rate."""
    gradient_clip: float | None
    seed: int
    name: str = "training"


def train(
    task: Task,
    *,
    course: Course,
    optimiser: torch.optim.Optimizer,
    trajectory: Trajectory,
    checkpoint: Path,
    device: torch.device,
) -> list[Record]:
    """Train all epochs, from the checkpoint's last one on if there is one, and load the average into the model.

    All randomness of a step comes from the seed and the step, so that a resumed training equals an undisturbed one.

    Returns:
        The records of all steps and epochs.

    Raises:
        InputError: a loss or a weight is not finite.
    """
    records: list[Record] = []
    first = 0
    state = load_checkpoint(checkpoint, device=device)
    if state is not None:
        check_same_tensors(task.model.state_dict(), state["model"], what=f"{checkpoint} (delete it to start anew)")
        task.model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        trajectory.restore(state["trajectory"])
        task.restore(state["task"])
        records, first = state["records"], state["epoch"] + 1
    logger.info("%s starts at epoch %d of %d", course.name, first, course.epochs)
    for epoch in range(first, course.epochs):
        records += _train_epoch(task, course, optimiser, trajectory, epoch)
        task.model.eval()
        found = task.check()
        trajectory.after_check(dict(task.model.named_parameters()), held_out_loss=found["held_out_loss"])
        logger.info("%s, epoch %d: %s", course.name, epoch, ", ".join(f"{k} {v:.4f}" for k, v in found.items()))
        records.append({"kind": "epoch", "epoch": epoch, **found})
        save_checkpoint(
            checkpoint,
            {
                "model": task.model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "trajectory": trajectory.state(),
                "task": task.state(),
                "epoch": epoch,
                "records": records,
            },
        )
    return records + _load_average(task, trajectory, course)


def _load_average(task: Task, trajectory: Trajectory, course: Course) -> list[Record]:
    average = trajectory.result()
    task.model.eval()
    if average is None:
        return []
    with torch.no_grad():
        for name, parameter in task.model.named_parameters():
            parameter.copy_(average[name])
    found = task.check()
    logger.info("%s, averaged: %s", course.name, ", ".join(f"{k} {v:.4f}" for k, v in found.items()))
    return [{"kind": "averaged", "epoch": course.epochs - 1, **found}]


def _train_epoch(
    task: Task, course: Course, optimiser: torch.optim.Optimizer, trajectory: Trajectory, epoch: int
) -> list[Record]:
    task.begin_epoch(epoch)
    records = []
    batches = course.batches(epoch)
    for number, batch in enumerate(progress(batches, what=f"{course.name}, epoch {epoch + 1}/{course.epochs}")):
        step = epoch * len(batches) + number
        rate = course.learning_rate(epoch, step)
        torch.manual_seed(seed_of("step", course.seed, course.name, step))
        loss, parts = task.loss(batch, epoch=epoch, step=step)
        if not torch.isfinite(loss):
            raise _diverged(f"the loss is {loss.item()}", epoch=epoch, step=step, rate=rate)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if course.gradient_clip is not None:
            nn.utils.clip_grad_norm_(task.model.parameters(), course.gradient_clip)
        optimiser.step()
        trajectory.after_step(dict(task.model.named_parameters()))
        records.append({"kind": "step", "epoch": epoch, "step": step, "learning_rate": rate, **parts})
    if not all(torch.isfinite(parameter).all() for parameter in task.model.parameters()):
        # The next step's loss would say so, but a checkpoint or the result comes first.
        raise _diverged("a weight is not finite", epoch=epoch, step=step, rate=rate)
    return records


def _diverged(what: str, *, epoch: int, step: int, rate: float) -> InputError:
    kept = f"the last good checkpoint is that of epoch {epoch - 1}" if epoch else "there is no checkpoint yet"
    return InputError(f"{what} at step {step} with learning rate {rate:.3g}: lower the method's learning_rate; {kept}")


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
    """Keep the running statistics of batch normalisation; its affine parameters still train."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
