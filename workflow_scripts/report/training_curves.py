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

from workflow_scripts.ground.errors import InputError
from workflow_scripts.report.style import GREY, Stroke, message_figure, strokes

WIDTH = 11.0
COLUMNS = 4
MOST_PANELS = 12
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
    "feature_std": "feature spread: magnitude",
    "feature_direction": "feature spread: direction",
    "learning_rate": "learning rate",
}
"""Known columns of the log, in the order of their panels; other numeric columns follow under their own names."""

HELD_OUT_COLUMNS = {"cross_entropy": "held_out_loss", "accuracy": "held_out_accuracy"}
_COUNTERS = ("epoch", "step")
_PERCENT = ("accuracy",)


@dataclass(frozen=True)
class RunLog:
    """The training log of one run: a row per step, and a row per epoch."""

    method: str
    seed: str
    steps: pd.DataFrame
    epochs: pd.DataFrame


def read_log(path: Path) -> RunLog:
    """Read a training log; method and seed are the two folders above it.

    Raises:
        InputError: the file is missing, a line is not a JSON object, or there is no step in it.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        steps = [line for line in lines if line["kind"] == "step"]
        epochs = [line for line in lines if line["kind"] == "epoch"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not a readable training log ({error}); delete it and run snakemake again") from None
    if not steps or not all(name in line for line in steps for name in _COUNTERS):
        raise InputError(f"{path}: no step with its number in this training log; delete it and run snakemake again")
    return RunLog(
        method=path.parent.parent.name,
        seed=path.parent.name.removeprefix("seed"),
        steps=pd.DataFrame(steps).set_index("step").sort_index(),
        epochs=pd.DataFrame(epochs),
    )


def panel_columns(logs: Sequence[RunLog]) -> list[str]:
    """Return the logged columns that are drawn: the known ones first, then other numbers, twelve at most."""
    numeric = [name for log in logs for name in log.steps.select_dtypes("number").columns if name not in _COUNTERS]
    found = dict.fromkeys(numeric)
    known = [name for name in TITLES if name in found]
    return [*known, *(name for name in found if name not in TITLES)][:MOST_PANELS]


def mean_over_runs(logs: Sequence[RunLog], column: str) -> "pd.Series[float]":
    """Return a column over the steps, the mean of the runs that logged it; empty if none did."""
    found = [log.steps[column] for log in logs if column in log.steps]
    return pd.concat(found, axis=1).mean(axis=1) if found else pd.Series(dtype=float)


def held_out(logs: Sequence[RunLog], column: str) -> "pd.Series[float]":
    """Return an epoch column at the last step of each epoch, the mean of the runs that logged it."""
    found = []
    for log in logs:
        if column in log.epochs:
            last = log.steps.reset_index().groupby("epoch")["step"].max()
            at = log.epochs["epoch"].map(last)
            found.append(pd.Series(log.epochs[column].to_numpy(), index=at.to_numpy()))
    return pd.concat(found, axis=1).mean(axis=1) if found else pd.Series(dtype=float)


def smoothed(values: "pd.Series[float]") -> "pd.Series[float]":
    """Return a centred running mean over a twentieth of the steps."""
    return values.rolling(max(1, len(values) // SMOOTHING), center=True, min_periods=1).mean()


def training_figure(paths: Sequence[Path]) -> Figure:
    """Draw loss parts, accuracy, feature spread and learning rate; a colour per method, the mean over its seeds.

    Raises:
        InputError: a log is damaged.
    """
    if not paths:
        return message_figure("There is no training curve: nothing was trained.")
    logs = [read_log(path) for path in paths]
    styles = strokes([log.method for log in logs])
    columns = panel_columns(logs)
    if not columns:
        return message_figure("There is no training curve: the logs hold no numbers.")
    wide = min(COLUMNS, len(columns))
    lines = -(-len(columns) // wide)
    figure = Figure(figsize=(WIDTH, 2.35 * lines + 0.4), layout=ConstrainedLayoutEngine(hspace=0.08, wspace=0.06))
    axes = list(figure.subplots(lines, wide, squeeze=False).ravel())
    for axis, column in zip(axes, columns, strict=False):
        _panel(axis, logs, styles, column)
    for axis in axes[len(columns) :]:
        axis.set_axis_off()
    figure.legend(handles=_handles(styles), loc="outside lower center", ncols=4)
    return figure


def _panel(axis: Any, logs: Sequence[RunLog], styles: dict[str, Stroke], column: str) -> None:
    factor = 100.0 if column in _PERCENT else 1.0
    for method, stroke in styles.items():
        own = [log for log in logs if log.method == method]
        values = factor * mean_over_runs(own, column)
        axis.plot(values.index, values, color=stroke.colour, linewidth=0.6, alpha=0.22)
        axis.plot(values.index, smoothed(values), color=stroke.colour, linewidth=0.75 * stroke.width)
        points = factor * held_out(own, HELD_OUT_COLUMNS.get(column, ""))
        size = 2.5 + stroke.width
        axis.plot(points.index, points, "o", color=stroke.colour, markerfacecolor="white", markersize=size, zorder=4)
    axis.set_title(TITLES.get(column, column.replace("_", " ")))
    axis.set_xlabel("step")
    axis.ticklabel_format(axis="y", scilimits=(-2, 4))
    axis.yaxis.get_offset_text().set(size=8, color=GREY)


def _handles(styles: dict[str, Stroke]) -> list[Line2D]:
    handles = [Line2D([], [], color=each.colour, linewidth=each.width, label=name) for name, each in styles.items()]
    label = "held-out generated images, after each epoch"
    return [*handles, Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="", label=label)]
