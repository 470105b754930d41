"""What a training's frame refuses, whatever the method."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from tests.training.tiny import CPU, tiny_seen
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.preprocessing import Preprocessing
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.finetune.settings import Finetune
from workflow_scripts.training.finetune.task import FinetuneTask
from workflow_scripts.training.heads import ImageClassifier, LinearHead
from workflow_scripts.training.job import Identity, Training, TrainingInputs, TrainingPhase, run_phases, train_method
from workflow_scripts.training.loop import Schedule
from workflow_scripts.training.method_settings import NoAveraging, TrainingJob


class Untrained(Finetune):
    """A kind without a loop."""

    has_training_log: ClassVar[bool] = False


def phase(name: str, task: FinetuneTask) -> TrainingPhase:
    schedule = Schedule(
        intervals=1,
        batches=lambda _: [torch.arange(6)] * 2,
        learning_rate=lambda *_: 0.1,
        gradient_clip=None,
        seed=0,
        name=name,
    )
    return TrainingPhase(
        task=task,
        schedule=schedule,
        optimizer=torch.optim.SGD(task.model.parameters()),
        averager=averager_of(NoAveraging()),
    )


def phases(*names: str, device: torch.device = CPU) -> Iterator[TrainingPhase]:
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 4))
    task = FinetuneTask(
        model=ImageClassifier(encoder, LinearHead(torch.randn(6, 4))).to(device),
        settings=Finetune(kind="finetune"),
        seed=0,
        seen=tiny_seen(),
        preprocessing=Preprocessing(size=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        device=device,
    )
    yield from (phase(name, task) for name in names)


def test_steps_and_intervals_count_on_over_phases(tmp_path: Path) -> None:
    entries = list(run_phases(phases("first", "second"), Identity({}, 1, tmp_path), device=CPU))
    steps = [(line["phase"], line["interval"], line["step"]) for line in entries if line["kind"] == "step"]
    assert steps == [("first", 0, 0), ("first", 0, 1), ("second", 1, 2), ("second", 1, 3)]


def test_two_phases_of_one_name_are_refused(tmp_path: Path) -> None:
    # They would share a checkpoint, and the second would be taken as done.
    with pytest.raises(InputError, match="two phases are called 'first': their checkpoints need names of their own"):
        list(run_phases(phases("first", "first"), Identity({}, 1, tmp_path), device=CPU))


def options(folder: Path) -> Namespace:
    settings = '{"method": {"kind": "finetune"}, "seed": 0}'
    given = {"settings": settings, "code": "", "threads": 1, "locks": folder / "locks", "output": folder / "run"}
    return Namespace(**given, clip=None, zero_shot_head=None, student=None, images=[], embeddings=[], other_runs=[])


@pytest.mark.parametrize(
    ("method", "names", "error"),
    [
        (Finetune, (), "Finetune: there was no phase, but has_training_log says so"),
        (Untrained, ("first",), "Untrained: there was a phase, but has_training_log says no"),
    ],
)
def test_a_training_log_is_there_where_it_is_promised(
    method: type[Finetune], names: tuple[str, ...], error: str, tmp_path: Path
) -> None:
    def build(job: TrainingJob[Any], inputs: TrainingInputs) -> Training:
        return Training(phases=phases(*names, device=inputs.device), save=lambda *_: None)

    (tmp_path / "run").mkdir()
    with pytest.raises(InputError, match=error):
        train_method(method, build, options(tmp_path))


def test_an_input_that_nobody_asked_for_is_named(tmp_path: Path) -> None:
    def build(job: TrainingJob[Any], inputs: TrainingInputs) -> Training:
        raise AssertionError(inputs.clip)

    with pytest.raises(InputError, match="--clip: not given; the settings class of this kind of method does not ask"):
        train_method(Untrained, build, options(tmp_path))
