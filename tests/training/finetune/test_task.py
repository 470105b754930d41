"""What fine-tuning trains: encoder and head, or the head alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.training.tiny import CPU, bits, tiny_seen
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.finetune.task import FinetuneTask, optimizer_of, schedule_of
from workflow_scripts.training.heads import ImageClassifier, LinearHead
from workflow_scripts.training.job import Identity, TrainingPhase, run_phases
from workflow_scripts.training.method_settings import NoAveraging


def trained(tmp_path: Path, **changes: Any) -> tuple[ImageClassifier, bytes, bytes]:
    """Return a classifier after two epochs, and its encoder and head as they were."""
    settings = Finetune(kind="finetune", epochs=2, batch_size=6, learning_rate=0.01, **changes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 8))
        model = ImageClassifier(nn.Sequential(*layers), LinearHead(torch.randn(3, 8)))
    before = bits(model.encoder), bits(model.head)
    seen = tiny_seen()
    preprocessing = Preprocessing(size=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    phase = TrainingPhase(
        task=FinetuneTask(model=model, settings=settings, seed=0, seen=seen, preprocessing=preprocessing, device=CPU),
        schedule=schedule_of(settings, images=len(seen.training), seed=0),
        optimizer=optimizer_of(model, settings),
        averager=averager_of(NoAveraging()),
    )
    entries = list(run_phases([phase], Identity({}, 1, tmp_path), device=CPU))
    assert sum(entry["kind"] == "step" for entry in entries) == 4
    return model, *before


def test_encoder_and_head_are_trained(tmp_path: Path) -> None:
    model, encoder, head = trained(tmp_path)
    assert bits(model.encoder) != encoder
    assert bits(model.head) != head


def test_a_linear_probe_leaves_the_encoder_with_its_statistics_as_it_was(tmp_path: Path) -> None:
    model, encoder, head = trained(tmp_path, freeze_encoder=True)
    assert bits(model.encoder) == encoder
    assert bits(model.head) != head


def test_frozen_batch_norm_keeps_its_statistics_alone(tmp_path: Path) -> None:
    model, encoder, _ = trained(tmp_path, freeze_batch_norm=True)
    assert bits(model.encoder) != encoder
    assert isinstance(model.encoder, nn.Sequential)
    norm = model.encoder[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert torch.equal(norm.running_mean, torch.zeros(4))
    assert not torch.equal(norm.weight, torch.ones(4))


@pytest.mark.parametrize("name", ["variance_weight", "covariance_weight"])
def test_a_frozen_encoder_cannot_be_regularized(name: str) -> None:
    settings = Finetune(kind="finetune", freeze_encoder=True, **{name: 0.16})  # type: ignore[arg-type]
    assert [key for key, _ in settings.errors()] == [name]
    assert list(Finetune(kind="finetune", freeze_encoder=True).errors()) == []
