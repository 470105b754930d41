"""Training curves of all methods of a comparison."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.ground.errors import InputError
from workflow_scripts.report.style import COLOURS, message_figure

PANELS = (
    ("cross_entropy", "cross-entropy"),
    ("variance", "variance term (unweighted)"),
    ("covariance", "covariance term (unweighted)"),
    ("accuracy", "accuracy: training, held out (dots)"),
    ("feature_std", "feature spread: mean deviation"),
    ("learning_rate", "learning rate"),
)


def read_log(path: Path) -> tuple[str, pd.DataFrame]:
    """Return a run's name (method, and seed if not 0) and its training log, one row per line.

    Raises:
        InputError: a line is not JSON.
    """
    method, seed = path.parts[-3], path.parts[-2].removeprefix("seed")
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable training log ({error}); delete it and run snakemake again") from None
    return (method if seed == "0" else f"{method}, seed {seed}"), pd.DataFrame(lines)


def smoothed(values: "pd.Series[float]") -> "pd.Series[float]":
    """Return a centred running mean over a fiftieth of the steps."""
    return values.rolling(max(1, len(values) // 50), center=True, min_periods=1).mean()


def training_figure(logs: Sequence[Path]) -> Figure:
    """Draw loss parts, accuracy, feature spread and learning rate of every run; a colour per run."""
    if not logs:
        return message_figure("There is no training curve: nothing was trained.")
    runs = [read_log(path) for path in logs]
    figure = Figure(figsize=(10.2, 5.6))
    axes = figure.subplots(2, 3).ravel()
    for number, (name, log) in enumerate(runs):
        colour = COLOURS[number % len(COLOURS)]
        steps = log[log.kind == "step"]
        for axis, (column, _) in zip(axes, PANELS, strict=True):
            if column in steps:
                axis.plot(steps.step, smoothed(steps[column]), color=colour, label=name, linewidth=1.3)
        _held_out(axes[3], log, steps, colour)
    for axis, (_, title) in zip(axes, PANELS, strict=True):
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("step", fontsize=8)
    figure.tight_layout()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=5)
    return figure


def _held_out(axis: Any, log: pd.DataFrame, steps: pd.DataFrame, colour: str) -> None:
    epochs = log[log.kind == "epoch"]
    if not epochs.empty and "held_out_accuracy" in epochs:
        last = steps.groupby("epoch").step.max()
        axis.plot(last.reindex(epochs.epoch), epochs.held_out_accuracy, "o", color=colour, markersize=3)
