"""Accuracy over alpha, one panel per domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from workflow_scripts.common.constants import HELD_OUT, ZERO_SHOT
from workflow_scripts.common.selection_file import Selection
from workflow_scripts.evaluation.metric_files import ALL_CLASSES, HEADLINE, domains_of
from workflow_scripts.report.figure import FigureInputs, FigureTexts, ReportFigure
from workflow_scripts.report.labels import domain_title, is_zero_shot
from workflow_scripts.report.roles import Role, picked_alphas
from workflow_scripts.report.rows import methods_of
from workflow_scripts.report.style import GRAY, Stroke, strokes
from workflow_scripts.report.tables import over_seeds

WIDTH = 11.0
"""Width of the figure in inches."""
ENDPOINTS = (0.0, 1.0)
LINES = ((0, (4, 3)), (0, (1, 2)), (0, (6, 2, 1, 2)))
"""Styles of the vertical lines of pickers that chose one alpha for all."""
MARKERS = ("D", "s", "^", "v", "P", "X")
"""Markers of honest pickers that chose several; oracles are stars."""

CurvePoint = tuple[float, float]
"""An alpha and an accuracy in percent."""


@dataclass(frozen=True)
class Curve:
    """One method on one domain: alphas, accuracies and intervals in percent, and the endpoints among them."""

    alphas: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    endpoints: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class PickMark:
    """How the choices of one picker are drawn: a vertical line at the alpha of all, or a marker on each curve."""

    label: str
    alphas: dict[str, tuple[float, ...]]
    """Chosen for each method, of all seeds."""
    line: Any = None
    """Style of the line; None: markers."""
    marker: str = "*"
    oracle: bool = False


def pick_marks(selections: Sequence[Selection]) -> list[PickMark]:
    """Return how each picker's choices are drawn."""
    marks: list[PickMark] = []
    for role, by_method in picked_alphas(selections).items():
        alphas = {method: tuple(sorted({float(alpha) for alpha in given})) for method, given in by_method.items()}
        texts = {alpha for given in by_method.values() for alpha in given}
        marks.append(_pick_mark(role, alphas, texts, number=len([mark for mark in marks if not mark.oracle])))
    return marks


def _pick_mark(role: Role, alphas: dict[str, tuple[float, ...]], texts: set[str], *, number: int) -> PickMark:
    if role.oracle:
        return PickMark(role.why, alphas, oracle=True)
    if len(texts) == 1:
        return PickMark(f"alpha {min(texts)}, {role.why}", alphas, line=LINES[number % len(LINES)])
    return PickMark(role.why, alphas, marker=MARKERS[number % len(MARKERS)])


def curve(means: pd.DataFrame, *, method: str, domain: str) -> Curve:
    """Return a method's top-1 accuracy on a domain, sorted by alpha; empty if it was not measured.

    `endpoints` holds the pre-trained and the fine-tuned endpoint as far as they were measured.
    """
    chosen = means[(means["method"] == method) & (means["domain"] == domain)]
    chosen = chosen[(chosen["metric"] == HEADLINE) & (chosen["label_set"] == ALL_CLASSES)]
    chosen = chosen.assign(x=chosen["alpha"].astype(float)).sort_values("x")
    percent = {name: tuple(100.0 * float(value) for value in chosen[name]) for name in ("value", "low", "high")}
    alphas = tuple(float(value) for value in chosen["x"])
    points = dict(zip(alphas, percent["value"], strict=True))
    return Curve(
        alphas=alphas,
        values=percent["value"],
        low=percent["low"],
        high=percent["high"],
        endpoints=tuple((endpoint, points[endpoint]) for endpoint in ENDPOINTS if endpoint in points),
    )


def columns_for(panels: int) -> int:
    """Return how many panels stand side by side: three or four, whichever leaves fewer places empty."""
    return min(panels, min((3, 4), key=lambda columns: (-panels % columns, columns)))


def alpha_figure(metrics: pd.DataFrame, selections: Sequence[Selection]) -> Figure | str:
    """Draw all methods' alpha curves on every domain, with both endpoints and what pickers chose."""
    means, domains = over_seeds(metrics), domains_of(metrics)
    methods = [name for name in methods_of(means) if not is_zero_shot(name)]
    if not domains or not methods:
        return "There is no alpha curve: no method was trained, or there is no image to measure it on."
    strokes_by_method, marks = strokes(methods), pick_marks(selections)
    places = len(domains) + 1
    columns = columns_for(places)
    lines = -(-places // columns)
    figure = Figure(
        figsize=(WIDTH, WIDTH / columns * 0.78 * lines), layout=ConstrainedLayoutEngine(hspace=0.08, wspace=0.06)
    )
    axes = list(figure.subplots(lines, columns, squeeze=False).ravel())
    for axis, domain in zip(axes, domains, strict=False):
        _panel(axis, means, strokes_by_method, marks, domain=domain)
    for axis in axes[len(domains) :]:
        axis.set_axis_off()
    handles = legend_handles(
        strokes_by_method,
        marks,
        zero_shot=ZERO_SHOT in set(means["method"]),
        held_out=HELD_OUT in domains,
    )
    axes[len(domains)].legend(handles=handles, loc="center left", borderaxespad=0.0, labelspacing=0.7)
    return figure


def _panel(
    axis: Any,
    means: pd.DataFrame,
    strokes_by_method: dict[str, Stroke],
    marks: Sequence[PickMark],
    *,
    domain: str,
) -> None:
    # An oracle was chosen on real test images and is marked on these alone.
    shown = [mark for mark in marks if not (mark.oracle and domain == HELD_OUT)]
    for mark in shown:
        if mark.line is not None:
            (alpha,) = {each for alphas in mark.alphas.values() for each in alphas}
            axis.axvline(alpha, color=GRAY, linestyle=mark.line, linewidth=1)
    reference = curve(means, method=ZERO_SHOT, domain=domain)
    if reference.values:
        axis.axhline(reference.values[0], color=GRAY, linewidth=1.2)
    for method, stroke in strokes_by_method.items():
        line = curve(means, method=method, domain=domain)
        _draw(axis, line, stroke, dashed=domain == HELD_OUT)
        for mark in shown:
            if mark.line is None:
                _draw_picks(axis, line, stroke, mark.alphas.get(method, ()), marker=mark.marker)
    axis.set_title(domain_title(domain))
    axis.set_xlabel("alpha (0 pre-trained, 1 fine-tuned)")
    axis.set_ylabel("top-1 accuracy, %")
    axis.set_xlim(-0.04, 1.04)


def _draw(axis: Any, line: Curve, stroke: Stroke, *, dashed: bool) -> None:
    color = stroke.color
    axis.fill_between(line.alphas, line.low, line.high, color=color, alpha=0.10, linewidth=0)
    axis.plot(line.alphas, line.values, color=color, linewidth=stroke.width, linestyle="--" if dashed else "-")
    for x, y in line.endpoints:
        axis.plot(x, y, "o", color=color, markerfacecolor="white", markersize=3.5 + stroke.width, zorder=4)
    if len(line.alphas) == 1:
        # A method without a second endpoint has a point and no curve.
        axis.plot(line.alphas, line.values, "o", color=color, markersize=3.5 + stroke.width, zorder=4)


def _draw_picks(axis: Any, line: Curve, stroke: Stroke, alphas: Sequence[float], *, marker: str) -> None:
    points = dict(zip(line.alphas, line.values, strict=True))
    size = (8 if marker == "*" else 4) + 2 * stroke.width
    for alpha in alphas:
        if alpha in points:
            look = {"color": stroke.color, "markeredgecolor": "white", "markersize": size, "zorder": 5}
            axis.plot(alpha, points[alpha], marker, **look)


def legend_handles(
    strokes_by_method: dict[str, Stroke], marks: Sequence[PickMark], *, zero_shot: bool, held_out: bool
) -> list[Line2D]:
    """Return what the legend explains: a line per method, then every mark once."""
    handles = [
        Line2D([], [], color=each.color, linewidth=each.width, label=name) for name, each in strokes_by_method.items()
    ]
    if zero_shot:
        handles.append(Line2D([], [], color=GRAY, linewidth=1.2, label="zero-shot (nothing trained)"))
    for mark in marks:
        look: dict[str, Any] = {"linestyle": mark.line, "linewidth": 1}
        if mark.line is None:
            look = {"linestyle": "", "marker": mark.marker, "markersize": 9 if mark.oracle else 6}
        handles.append(Line2D([], [], color=GRAY, label=mark.label, **look))
    endpoints = "pre-trained and fine-tuned endpoints"
    handles.append(Line2D([], [], color=GRAY, marker="o", markerfacecolor="white", linestyle="", label=endpoints))
    if held_out:
        held = "measured on held-out training images"
        handles.append(Line2D([], [], color=GRAY, linewidth=2, linestyle="--", label=held))
    return handles


def _texts(inputs: FigureInputs) -> FigureTexts:
    domains = ", ".join(domain_title(domain) for domain in domains_of(inputs.metrics))
    marks = pick_marks(inputs.selections)
    explained = [
        " What pickers chose for each seed is marked on the mean over seeds."
        * any(mark.line is None for mark in marks),
        " A star is an oracle, chosen on these very test images: an upper bound and not a result."
        * any(mark.oracle for mark in marks),
    ]
    return FigureTexts(
        title="Accuracy over alpha",
        caption="Top-1 accuracy of the averaged weights, (1 - alpha) pre-trained + alpha fine-tuned; each panel says "
        "on which images and has a scale of its own. Bands are 95 % intervals over images (means over seeds)."
        + "".join(explained),
        alt=f"Line charts of top-1 accuracy over alpha for {', '.join(inputs.trained_methods)}, on: {domains}. The "
        "numbers at both endpoints and at what pickers chose stand in the table above.",
    )


FIGURE = ReportFigure(texts=_texts, draw=lambda inputs: alpha_figure(inputs.metrics, inputs.selections))
