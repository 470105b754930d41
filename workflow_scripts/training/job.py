"""From a training's settings to its written files: what every kind of method shares."""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.devices import claimed_device, environment_metadata
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import digest_of, sha256_of, write_json, write_text
from workflow_scripts.common.run_files import METADATA, TRAINING_LOG
from workflow_scripts.ensembling.weight_averaging import WeightAverager
from workflow_scripts.training.checkpoints import checkpoint_path, delete_checkpoints
from workflow_scripts.training.image_selection import SeenImages
from workflow_scripts.training.loop import LogEntry, Schedule, Task, train
from workflow_scripts.training.method_settings import MethodT, TrainingJob

_PATHS = ("clip", "zero_shot_head", "student")
_LISTS = ("images", "embeddings", "other_runs")


@dataclass(frozen=True, kw_only=True)
class TrainingInputs:
    """The files that a training reads, and where it runs.

    A kind gets what its settings class asks for; what nobody asked for is not given, and reading it is an error.
    """

    images: tuple[Path, ...]
    """Manifests, one per domain and source."""
    embeddings: tuple[Path, ...]
    """Tables of embeddings, in the same order."""
    other_runs: tuple[tuple[Path, ...], ...]
    """The artifacts of each other run, in the order of its kind's list."""
    files: dict[str, Path]
    threads: int
    device: torch.device

    @property
    def clip(self) -> Path:
        """Return the manifest of the CLIP checkpoint."""
        return self._file("clip")

    @property
    def zero_shot_head(self) -> Path:
        """Return the zero-shot head that the method's settings name."""
        return self._file("zero_shot_head")

    @property
    def student(self) -> Path:
        """Return the manifest of the student."""
        return self._file("student")

    def _file(self, name: str) -> Path:
        if name not in self.files:
            raise InputError(
                f"{_option(name)}: not given; the settings class of this kind of method does not ask for it"
            )
        return self.files[name]


@dataclass(frozen=True, kw_only=True)
class TrainingPhase:
    """One pass through the training loop."""

    task: Task
    schedule: Schedule
    optimizer: torch.optim.Optimizer
    averager: WeightAverager


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training that is ready to run."""

    save: Callable[[Path, dict[str, Any]], None]
    """Write the artifacts into a folder when all phases have run, with what identifies the training."""
    phases: Iterable[TrainingPhase] = ()
    """Each has a name of its own, and is asked for when the one before has ended: it may build on its result."""
    seen: SeenImages | None = None
    """What is trained on, for the run's metadata; None where nothing is looked at anew."""


@dataclass(frozen=True)
class Identity:
    """All that a training depends on: settings, code, inputs (path to sha256), and threads."""

    values: dict[str, Any]
    threads: int
    folder: Path

    @property
    def digest(self) -> str:
        """Return the digest that names the training's checkpoints."""
        return digest_of({**self.values, "threads": self.threads})


def training_main(
    method: type[MethodT], build: Callable[[TrainingJob[MethodT], TrainingInputs], Training], description: str | None
) -> None:
    """Run the training of a kind from the command line.

    Args:
        method: the kind's settings class.
        build: puts a training together from its settings and its inputs.
        description: what the kind does.
    """
    parser = entry_parser(description)
    for name in _PATHS:
        parser.add_argument(_option(name), type=Path, default=None, help=f"the run's {name.replace('_', ' ')}")
    for name in _LISTS:
        parser.add_argument(_option(name), type=Path, nargs="+", default=[], help=f"its {name.replace('_', ' ')}")
    parser.add_argument("--output", type=Path, required=True, help="the run's folder")
    run(lambda options: train_method(method, build, options), parser)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def train_method(
    method: type[MethodT],
    build: Callable[[TrainingJob[MethodT], TrainingInputs], Training],
    options: argparse.Namespace,
) -> None:
    """Build a training, run its phases, and write artifacts, training log and metadata; the checkpoint goes last."""
    job = TrainingJob[method].parse(options.settings)  # type: ignore[valid-type]
    files = {name: getattr(options, name) for name in _PATHS if getattr(options, name) is not None}
    read = [*files.values(), *(path for name in _LISTS for path in getattr(options, name))]
    values = {
        "settings": job.model_dump(mode="json"),
        "code": options.code,
        "inputs": {str(path): sha256_of(path) for path in read},
    }
    identity = Identity(values, options.threads, options.output)
    delete_checkpoints(identity.folder, but=identity.digest)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        inputs = TrainingInputs(
            images=tuple(options.images),
            embeddings=tuple(options.embeddings),
            other_runs=tuple(tuple(paths) for _, paths in groupby(options.other_runs, key=lambda path: path.parent)),
            files=files,
            threads=options.threads,
            device=device,
        )
        training = build(job, inputs)
        entries = list(run_phases(training.phases, identity, device=device))
    if bool(entries) != method.has_training_log:
        said = "a phase, but has_training_log says no" if entries else "no phase, but has_training_log says so"
        raise InputError(f"{method.__name__}: there was {said}; make both the same")
    training.save(identity.folder, identity.values)
    if method.has_training_log:
        write_text(identity.folder / TRAINING_LOG, "".join(json.dumps(line) + "\n" for line in entries))
    write_json(
        identity.folder / METADATA,
        {**values, **_summary(training.seen, entries), "environment": environment_metadata(device)},
    )
    delete_checkpoints(identity.folder)


def run_phases(phases: Iterable[TrainingPhase], identity: Identity, *, device: torch.device) -> Iterator[LogEntry]:
    """Train one phase after the other and yield all log entries; steps and intervals go on counting.

    Raises:
        InputError: two phases have one name, or a loss is not finite.
    """
    steps, intervals = 0, 0
    names: set[str] = set()
    for phase in phases:
        if phase.schedule.name in names:
            raise InputError(
                f"two phases are called {phase.schedule.name!r}: their checkpoints need names of their own"
            )
        names.add(phase.schedule.name)
        entries = train(
            phase.task,
            schedule=phase.schedule,
            optimizer=phase.optimizer,
            averager=phase.averager,
            checkpoint=checkpoint_path(identity.folder, identity.digest, phase=phase.schedule.name),
            device=device,
        )
        for entry in entries:
            later = {"step": entry["step"] + steps} if "step" in entry else {}
            yield {**entry, "phase": phase.schedule.name, "interval": entry["interval"] + intervals, **later}
        steps += sum(entry["kind"] == "step" for entry in entries)
        intervals += phase.schedule.intervals


def _summary(seen: SeenImages | None, entries: Sequence[LogEntry]) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    if seen is not None:
        summary |= {
            "training_images": len(seen.training),
            "held_out_images": len(seen.held_out),
            "left_out_images": seen.training.left_out + seen.held_out.left_out,
            "domains": list(seen.training.domains),
        }
    if entries:
        summary |= {"steps": sum(entry["kind"] == "step" for entry in entries), "last": entries[-1]}
    return summary
