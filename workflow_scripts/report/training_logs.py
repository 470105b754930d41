"""Training logs as tables."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from workflow_scripts.common.errors import InputError

COUNTERS = ("interval", "step")
"""Columns of a log that say where a row stands; all others are measured."""


@dataclass(frozen=True)
class TrainingLog:
    """The training log of one run: a row per step, and a row per validation."""

    method: str
    seed: int
    steps: pd.DataFrame
    validations: pd.DataFrame


def read_training_log(path: Path, *, method: str, seed: int) -> TrainingLog:
    """Read the training log of a method's run with a seed.

    Raises:
        InputError: the file is missing, a line is not a JSON object, or there is no step in it.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        steps = [line for line in lines if line["kind"] == "step"]
        validations = [line for line in lines if line["kind"] == "validation"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not a readable training log ({error}); delete it and run snakemake again") from None
    if not steps or not all(name in line for line in steps for name in COUNTERS):
        raise InputError(f"{path}: no step with its number in this training log; delete it and run snakemake again")
    return TrainingLog(
        method=method,
        seed=seed,
        steps=pd.DataFrame(steps).set_index("step").sort_index(),
        validations=pd.DataFrame(validations),
    )
