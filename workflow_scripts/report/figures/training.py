"""Training curves of all methods of a comparison."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from workflow_scripts.report.figure import FigureInputs, FigureTexts, ReportFigure
from workflow_scripts.report.style import GRAY, Stroke, strokes
from workflow_scripts.report.training_logs import COUNTERS, TrainingLog

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
_PERCENT = ("accuracy",)


def panel_columns(logs: Sequence[TrainingLog]) -> list[str]:
    """Return the logged columns that are drawn: the known ones first, then other numbers, twelve at most."""
    numeric = [name for log in logs for name in log.steps.select_dtypes("number").columns if name not in COUNTERS]
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


def training_figure(logs: Sequence[TrainingLog]) -> Figure | str:
    """Draw loss parts, accuracy, feature diversity and learning rate; a color per method, the mean over its seeds."""
    if not logs:
        return "There is no training curve: nothing was trained."
    strokes_by_method = strokes([log.method for log in logs])
    columns = panel_columns(logs)
    if not columns:
        return "There is no training curve: the logs hold no numbers."
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


def _texts(inputs: FigureInputs) -> FigureTexts:
    return FigureTexts(
        title="Training",
        caption="Thin lines are the logged steps, thick lines a running mean over a twentieth of them; with several "
        "seeds both are means over seeds. Circles are measured on the held-out training images at each validation.",
        alt=f"Line charts over training steps for {', '.join(inputs.trained_methods)}: loss and its parts, accuracy, "
        "feature diversity, learning rate.",
    )


FIGURE = ReportFigure(texts=_texts, draw=lambda inputs: training_figure(inputs.training_logs))
