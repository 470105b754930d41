"""Accuracy over alpha, one panel per domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from workflow_scripts.common.constants import HELD_OUT, ZERO_SHOT
from workflow_scripts.report.figure import FigureInputs, FigureTexts, ReportFigure
from workflow_scripts.report.labels import ALL_CLASSES, HEADLINE, domain_title, is_zero_shot
from workflow_scripts.report.rows import methods_of, oracle_alpha
from workflow_scripts.report.style import GRAY, Stroke, strokes
from workflow_scripts.report.tables import domains_of, over_seeds

WIDTH = 11.0
"""Width of the figure in inches."""
ENDPOINTS = (0.0, 1.0)

CurvePoint = tuple[float, float]
"""An alpha and an accuracy in percent."""


@dataclass(frozen=True)
class Curve:
    """One method on one domain: alphas, accuracies and intervals in percent, and what is marked."""

    alphas: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    endpoints: tuple[CurvePoint, ...]
    oracle: CurvePoint | None


def curve(means: pd.DataFrame, *, method: str, domain: str, oracle: str | None) -> Curve:
    """Return a method's top-1 accuracy on a domain, sorted by alpha; empty if it was not measured.

    `endpoints` holds the pre-trained and the fine-tuned endpoint as far as they were measured. The oracle was chosen
    on real test images and is marked on these alone.
    """
    chosen = means[(means["method"] == method) & (means["domain"] == domain)]
    chosen = chosen[(chosen["metric"] == HEADLINE) & (chosen["label_set"] == ALL_CLASSES)]
    chosen = chosen.assign(x=chosen["alpha"].astype(float)).sort_values("x")
    percent = {name: tuple(100.0 * float(value) for value in chosen[name]) for name in ("value", "low", "high")}
    alphas = tuple(float(value) for value in chosen["x"])
    points = dict(zip(alphas, percent["value"], strict=True))
    best = None if oracle is None or domain == HELD_OUT else float(oracle)
    return Curve(
        alphas=alphas,
        values=percent["value"],
        low=percent["low"],
        high=percent["high"],
        endpoints=tuple((endpoint, points[endpoint]) for endpoint in ENDPOINTS if endpoint in points),
        oracle=(best, points[best]) if best is not None and best in points else None,
    )


def columns_for(panels: int) -> int:
    """Return how many panels stand side by side: three or four, whichever leaves fewer places empty."""
    return min(panels, min((3, 4), key=lambda columns: (-panels % columns, columns)))


def alpha_figure(metrics: pd.DataFrame, *, fixed_alpha: str) -> Figure | str:
    """Draw all methods' alpha curves on every domain, with both endpoints, the fixed alpha and the oracle marked."""
    means, domains = over_seeds(metrics), domains_of(metrics)
    methods = [name for name in methods_of(means) if not is_zero_shot(name)]
    if not domains or not methods:
        return "There is no alpha curve: no method was trained, or there is no image to measure it on."
    strokes_by_method = strokes(methods)
    places = len(domains) + 1
    columns = columns_for(places)
    lines = -(-places // columns)
    figure = Figure(
        figsize=(WIDTH, WIDTH / columns * 0.78 * lines), layout=ConstrainedLayoutEngine(hspace=0.08, wspace=0.06)
    )
    axes = list(figure.subplots(lines, columns, squeeze=False).ravel())
    for axis, domain in zip(axes, domains, strict=False):
        _panel(axis, means, strokes_by_method, domains=domains, domain=domain, fixed_alpha=fixed_alpha)
    for axis in axes[len(domains) :]:
        axis.set_axis_off()
    handles = legend_handles(
        strokes_by_method,
        fixed_alpha=fixed_alpha,
        zero_shot=ZERO_SHOT in set(means["method"]),
        held_out=HELD_OUT in domains,
    )
    axes[len(domains)].legend(handles=handles, loc="center left", borderaxespad=0.0, labelspacing=0.7)
    return figure


def _panel(
    axis: Any,
    means: pd.DataFrame,
    strokes_by_method: dict[str, Stroke],
    *,
    domains: Sequence[str],
    domain: str,
    fixed_alpha: str,
) -> None:
    axis.axvline(float(fixed_alpha), color=GRAY, linestyle=(0, (4, 3)), linewidth=1)
    reference = curve(means, method=ZERO_SHOT, domain=domain, oracle=None)
    if reference.values:
        axis.axhline(reference.values[0], color=GRAY, linewidth=1.2)
    for method, stroke in strokes_by_method.items():
        oracle = oracle_alpha(means, method=method, domains=domains)
        _draw(axis, curve(means, method=method, domain=domain, oracle=oracle), stroke, dashed=domain == HELD_OUT)
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
    if line.oracle is not None:
        axis.plot(*line.oracle, "*", color=color, markeredgecolor="white", markersize=8 + 2 * stroke.width, zorder=5)


def legend_handles(
    strokes_by_method: dict[str, Stroke], *, fixed_alpha: str, zero_shot: bool, held_out: bool
) -> list[Line2D]:
    """Return what the legend explains: a line per method, then every mark once."""
    handles = [
        Line2D([], [], color=each.color, linewidth=each.width, label=name) for name, each in strokes_by_method.items()
    ]
    if zero_shot:
        handles.append(Line2D([], [], color=GRAY, linewidth=1.2, label="zero-shot (nothing trained)"))
    fixed = f"alpha {fixed_alpha}, fixed beforehand"
    handles.append(Line2D([], [], color=GRAY, linewidth=1, linestyle=(0, (4, 3)), label=fixed))
    endpoints = "pre-trained and fine-tuned endpoints"
    handles.append(Line2D([], [], color=GRAY, marker="o", markerfacecolor="white", linestyle="", label=endpoints))
    oracle = "oracle (chosen on test)"
    handles.append(Line2D([], [], color=GRAY, marker="*", markersize=9, linestyle="", label=oracle))
    if held_out:
        held = "measured on held-out training images"
        handles.append(Line2D([], [], color=GRAY, linewidth=2, linestyle="--", label=held))
    return handles


def _texts(inputs: FigureInputs) -> FigureTexts:
    domains = ", ".join(domain_title(domain) for domain in domains_of(inputs.metrics))
    return FigureTexts(
        title="Accuracy over alpha",
        caption="Top-1 accuracy of the averaged weights, (1 - alpha) pre-trained + alpha fine-tuned; each panel says "
        "on which images and has a scale of its own. Bands are 95 % intervals over images (means over seeds). The star "
        "is the oracle: the best alpha on these very test images, an upper bound and not a result.",
        alt=f"Line charts of top-1 accuracy over alpha for {', '.join(inputs.trained_methods)}, on: {domains}. The "
        "numbers at both endpoints, at the fixed alpha and at the oracle stand in the table above.",
    )


FIGURE = ReportFigure(texts=_texts, draw=lambda inputs: alpha_figure(inputs.metrics, fixed_alpha=inputs.fixed_alpha))
