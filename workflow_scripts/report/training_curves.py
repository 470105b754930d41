"""Training curves of all methods of a comparison."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from workflow_scripts.common.errors import InputError
from workflow_scripts.report.style import GRAY, Stroke, message_figure, strokes

WIDTH = 11.0
COLUMNS = 4
MAX_PANELS = 12
SMOOTHING = 20
"""The thick lines are running means over this fraction (a twentieth) of the steps."""

TITLES = {
    "loss": "loss",
    "cross_entropy": "cross-entropy",
    "variance": "variance term, unweighted",
    "covariance": "covariance term, unweighted",
    "accuracy": "accuracy, %",
    "reconstruction": "reconstruction by the generator",
    "image_cosine": "cosine to the teacher's image",
    "text_cosine": "cosine to the text",
    "feature_std": "feature diversity: magnitude",
    "feature_direction": "feature diversity: direction",
    "learning_rate": "learning rate",
}
"""Known columns of the log, in the order of their panels; other numeric columns follow under their own names."""

HELD_OUT_COLUMNS = {"cross_entropy": "held_out_loss", "accuracy": "held_out_accuracy"}
_COUNTERS = ("interval", "step")
_PERCENT = ("accuracy",)


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
    if not steps or not all(name in line for line in steps for name in _COUNTERS):
        raise InputError(f"{path}: no step with its number in this training log; delete it and run snakemake again")
    return TrainingLog(
        method=method,
        seed=seed,
        steps=pd.DataFrame(steps).set_index("step").sort_index(),
        validations=pd.DataFrame(validations),
    )


def panel_columns(logs: Sequence[TrainingLog]) -> list[str]:
    """Return the logged columns that are drawn: the known ones first, then other numbers, twelve at most."""
    numeric = [name for log in logs for name in log.steps.select_dtypes("number").columns if name not in _COUNTERS]
    logged = dict.fromkeys(numeric)
    known = [name for name in TITLES if name in logged]
    return [*known, *(name for name in logged if name not in TITLES)][:MAX_PANELS]


def mean_over_runs(logs: Sequence[TrainingLog], column: str) -> "pd.Series[float]":
    """Return a column over the steps, the mean of the runs that logged it; empty if none did."""
    columns = [log.steps[column] for log in logs if column in log.steps]
    return pd.concat(columns, axis=1).mean(axis=1) if columns else pd.Series(dtype=float)


def held_out(logs: Sequence[TrainingLog], column: str) -> "pd.Series[float]":
    """Return a column of the validations at the last step of each interval, the mean of the runs that logged it."""
    columns = []
    for log in logs:
        if column in log.validations:
            last = log.steps.reset_index().groupby("interval")["step"].max()
            at = log.validations["interval"].map(last)
            columns.append(pd.Series(log.validations[column].to_numpy(), index=at.to_numpy()))
    return pd.concat(columns, axis=1).mean(axis=1) if columns else pd.Series(dtype=float)


def smoothed(values: "pd.Series[float]") -> "pd.Series[float]":
    """Return a centered running mean over a twentieth of the steps."""
    return values.rolling(max(1, len(values) // SMOOTHING), center=True, min_periods=1).mean()


def training_figure(logs: Sequence[TrainingLog]) -> Figure:
    """Draw loss parts, accuracy, feature diversity and learning rate; a color per method, the mean over its seeds."""
    if not logs:
        return message_figure("There is no training curve: nothing was trained.")
    strokes_by_method = strokes([log.method for log in logs])
    columns = panel_columns(logs)
    if not columns:
        return message_figure("There is no training curve: the logs hold no numbers.")
    wide = min(COLUMNS, len(columns))
    lines = -(-len(columns) // wide)
    figure = Figure(figsize=(WIDTH, 2.35 * lines + 0.4), layout=ConstrainedLayoutEngine(hspace=0.08, wspace=0.06))
    axes = list(figure.subplots(lines, wide, squeeze=False).ravel())
    for axis, column in zip(axes, columns, strict=False):
        _panel(axis, logs, strokes_by_method, column)
    for axis in axes[len(columns) :]:
        axis.set_axis_off()
    figure.legend(handles=_handles(strokes_by_method), loc="outside lower center", ncols=4)
    return figure


def _panel(axis: Any, logs: Sequence[TrainingLog], strokes_by_method: dict[str, Stroke], column: str) -> None:
    factor = 100.0 if column in _PERCENT else 1.0
    for method, stroke in strokes_by_method.items():
        own = [log for log in logs if log.method == method]
        values = factor * mean_over_runs(own, column)
        axis.plot(values.index, values, color=stroke.color, linewidth=0.6, alpha=0.22)
        axis.plot(values.index, smoothed(values), color=stroke.color, linewidth=0.75 * stroke.width)
        points = factor * held_out(own, HELD_OUT_COLUMNS.get(column, ""))
        size = 2.5 + stroke.width
        axis.plot(points.index, points, "o", color=stroke.color, markerfacecolor="white", markersize=size, zorder=4)
    axis.set_title(TITLES.get(column, column.replace("_", " ")))
    axis.set_xlabel("step")
    axis.ticklabel_format(axis="y", scilimits=(-2, 4))
    axis.yaxis.get_offset_text().set(size=8, color=GRAY)


def _handles(strokes_by_method: dict[str, Stroke]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=each.color, linewidth=each.width, label=name) for name, each in strokes_by_method.items()
    ]
    label = "held-out training images, at each validation"
    return [*handles, Line2D([], [], color=GRAY, marker="o", markerfacecolor="white", linestyle="", label=label)]
