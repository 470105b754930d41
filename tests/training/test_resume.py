"""An interrupted training ends with the very weights of an undisturbed one; other settings start anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.images import DecodedImages
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.checkpoints import checkpoint_path, delete_checkpoints, load_checkpoint
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.finetune.task import FinetuneTask, objective, schedule_of
from workflow_scripts.training.heads import ImageClassifier, LinearHead
from workflow_scripts.training.image_selection import SeenImages, label_rows
from workflow_scripts.training.loop import Schedule, epoch_batches, freeze_batch_norm, steps_per_epoch, train
from workflow_scripts.training.method_settings import (
    Averaging,
    BestAveraging,
    EmaAveraging,
    NoAveraging,
    SoupAveraging,
    SwadAveraging,
)


def images(count: int) -> DecodedImages:
    generator = np.random.default_rng(0)
    return DecodedImages(
        pixels=generator.integers(0, 255, (count, 4, 4, 3), dtype=np.uint8),
        labels=generator.integers(0, 3, count),
        index=np.arange(count),
        domain=np.zeros(count, dtype=np.int64),
        image_id=tuple(map(str, range(count))),
        domains=("photo",),
        classes=("a", "b", "c"),
        left_out=0,
    )


def job(**changes: Any) -> Finetune:
    values: dict[str, Any] = {
        "kind": "finetune",
        "variance_weight": 0.16,
        "covariance_weight": 0.02,
        "epochs": 4,
        "batch_size": 8,
        "learning_rate": 0.01,
    }
    return Finetune(**{**values, **changes})


class InterruptedJobError(Exception):
    """Stands for a preempted job."""


class Encoder(torch.nn.Module):
    """A linear encoder that is preempted after some training steps."""

    def __init__(self, interrupt_at: int | None) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(48, 6)
        # Dropout, so that a resumed training must also repeat its randomness.
        self.dropout = torch.nn.Dropout(0.1)
        self.interrupt_at = interrupt_at
        self.steps = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.steps += self.training
        if self.interrupt_at is not None and self.steps > self.interrupt_at:
            raise InterruptedJobError
        features: torch.Tensor = self.dropout(self.linear(images.flatten(1)))
        return features


@dataclass
class Training:
    """A task, and what goes with it."""

    task: FinetuneTask
    settings: Finetune

    def run(self, checkpoint: Path) -> list[Any]:
        settings = self.settings
        return train(
            self.task,
            schedule=schedule_of(settings, images=len(self.task.seen.training), seed=0),
            optimizer=torch.optim.AdamW(self.task.model.parameters(), lr=settings.learning_rate, weight_decay=0.1),
            averager=averager_of(settings.averaging),
            checkpoint=checkpoint,
            device=torch.device("cpu"),
        )


def training(settings: Finetune, interrupt_at: int | None = None) -> Training:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = Encoder(interrupt_at)
        head = LinearHead(torch.randn(3, 6))
    task = FinetuneTask(
        model=ImageClassifier(encoder, head),
        settings=settings,
        seed=0,
        seen=SeenImages(training=images(30), held_out=images(5), label_rows=label_rows(3, None)),
        preprocessing=Preprocessing(size=4, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        device=torch.device("cpu"),
    )
    return Training(task, settings)


AVERAGES: list[Averaging] = [
    NoAveraging(),
    EmaAveraging(kind="ema", decay=0.9),
    SoupAveraging(kind="soup"),
    BestAveraging(),
    SwadAveraging(n_converge=1, n_tolerance=2, tolerance_ratio=5.0),
]


@pytest.mark.parametrize("averaging", AVERAGES, ids=lambda each: each.kind)
def test_resuming_gives_the_same_bits(averaging: Averaging, tmp_path: Path) -> None:
    settings = job(averaging=averaging)
    whole = training(settings)
    expected = whole.run(tmp_path / "whole.pt")
    checkpoint = tmp_path / "part.pt"
    with pytest.raises(InterruptedJobError):
        training(settings, interrupt_at=3 * 2 + 1).run(checkpoint)
    resumed = training(settings)
    entries = resumed.run(checkpoint)
    assert entries == expected
    states = (each.task.model.state_dict() for each in (whole, resumed))
    assert all(torch.equal(a, b) for a, b in zip(*(state.values() for state in states), strict=True))
    assert [line["interval"] for line in entries if line["kind"] == "validation"] == [0, 1, 2, 3]
    assert resumed.task.model.encoder.steps == 2 * 3


def test_steps_are_counted_on_through_a_shorter_interval(tmp_path: Path) -> None:
    made = training(job(epochs=1))
    lengths = (3, 1, 2)
    rates: list[tuple[int, int]] = []

    def rate(interval: int, step: int) -> float:
        rates.append((interval, step))
        return 0.01

    schedule = Schedule(
        intervals=3,
        batches=lambda interval: [torch.arange(8)] * lengths[interval],
        learning_rate=rate,
        gradient_clip=None,
        seed=0,
    )
    entries = train(
        made.task,
        schedule=schedule,
        optimizer=torch.optim.SGD(made.task.model.parameters()),
        averager=averager_of(NoAveraging()),
        checkpoint=tmp_path / "c.pt",
        device=torch.device("cpu"),
    )
    expected = [(0, 0), (0, 1), (0, 2), (1, 3), (2, 4), (2, 5)]
    assert rates == expected
    assert [(line["interval"], line["step"]) for line in entries if line["kind"] == "step"] == expected


def test_averages_differ_from_the_last_weights(tmp_path: Path) -> None:
    entries = []
    for averaging in AVERAGES:
        done = training(job(averaging=averaging))
        done.run(tmp_path / f"{averaging.kind}.pt")
        entries.append(done.task.model.head.weight.detach().clone())
    last, moving, soup, _, swad = entries
    assert not any(torch.equal(last, other) for other in (moving, soup, swad))


def test_a_finished_stage_is_not_trained_again(tmp_path: Path) -> None:
    settings = job()
    first = training(settings)
    expected = first.run(tmp_path / "c.pt")
    again = training(settings, interrupt_at=0)
    assert again.run(tmp_path / "c.pt") == expected
    assert torch.equal(again.task.model.head.weight, first.task.model.head.weight)


def test_other_settings_ignore_and_delete_the_checkpoint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = checkpoint_path(tmp_path, "0123", phase="training")
    with pytest.raises(InterruptedJobError):
        training(job(), interrupt_at=7).run(old)
    assert old.is_file()
    new, phase = (checkpoint_path(tmp_path, "4567", phase=name) for name in ("training", "align"))
    phase.write_bytes(b"")
    delete_checkpoints(tmp_path, but="4567")
    assert not old.exists()
    assert phase.exists()
    caplog.set_level("INFO")
    training(job(learning_rate=0.02)).run(new)
    assert "training starts at validation interval 0 of 4" in caplog.text


def test_a_damaged_checkpoint_starts_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "c.pt").write_bytes(b"cut short")
    assert len(training(job()).run(tmp_path / "c.pt")) == 4 * 3 + 4
    assert "is damaged" in caplog.text


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    import pickle

    class Payload:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "c.pt").write_bytes(pickle.dumps(Payload()))
    training(job(epochs=1)).run(tmp_path / "c.pt")
    assert not (tmp_path / "ran").exists()


def test_fewer_images_than_a_batch_are_an_error() -> None:
    assert steps_per_epoch(30, 8) == 3
    with pytest.raises(InputError, match="7 training images are fewer than one batch of 8"):
        steps_per_epoch(7, 8)


def test_batches_cover_an_epoch_without_repeats() -> None:
    batches = epoch_batches(30, 8, seed=0, epoch=1)
    assert [len(batch) for batch in batches] == [8, 8, 8]
    assert len(set(torch.cat(batches).tolist())) == 24
    assert torch.equal(torch.cat(batches), torch.cat(epoch_batches(30, 8, seed=0, epoch=1)))
    assert not torch.equal(batches[0], epoch_batches(30, 8, seed=0, epoch=2)[0])


def test_plain_training_is_cross_entropy_alone() -> None:
    features, logits, labels = torch.randn(8, 6), torch.randn(8, 3), torch.arange(8) % 3
    expected = torch.nn.functional.cross_entropy(logits, labels)
    loss, parts = objective(features, logits, labels, job(variance_weight=0.0, covariance_weight=0.0))
    assert loss == expected
    regularized, _ = objective(features, logits, labels, job())
    added = 0.16 * parts["variance"] + 0.02 * parts["covariance"]
    assert float(regularized - loss) == pytest.approx(added, abs=1e-6)


def test_a_loss_that_is_not_finite_stops_with_step_and_rate(tmp_path: Path) -> None:
    broken = training(job())
    with torch.no_grad():
        broken.task.model.head.bias.fill_(float("nan"))
    with pytest.raises(InputError, match=r"the loss is nan at step 0 with learning rate 0\.01"):
        broken.run(tmp_path / "c.pt")


def test_weights_that_the_last_step_of_an_epoch_spoils_are_never_kept(tmp_path: Path) -> None:
    broken = training(job())
    scale = broken.task.model.head.weight

    def spoil(gradient: torch.Tensor) -> torch.Tensor:
        return gradient * float("nan") if broken.task.model.encoder.steps == 2 * 3 else gradient

    scale.register_hook(spoil)
    with pytest.raises(InputError, match=r"a weight is not finite at step 5 .* checkpoint is that of interval 0"):
        broken.run(tmp_path / "c.pt")
    checkpoint = load_checkpoint(tmp_path / "c.pt", device=torch.device("cpu"))
    assert checkpoint is not None
    assert checkpoint["interval"] == 0


def test_frozen_batch_norm_keeps_its_statistics_and_trains_its_scale() -> None:
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(3)).train()
    freeze_batch_norm(model)
    model(torch.randn(4, 3) + 5).sum().backward()
    assert torch.equal(model.state_dict()["0.running_mean"], torch.zeros(3))
    assert next(model.parameters()).grad is not None
