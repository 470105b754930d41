"""Accuracy over alpha, one panel per domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from workflow_scripts.ground.vocabulary import HELD_OUT, ZERO_SHOT
from workflow_scripts.report.labels import ALL_CLASSES, HEADLINE, domain_title
from workflow_scripts.report.rows import methods_of, oracle_alpha
from workflow_scripts.report.style import GREY, Stroke, message_figure, strokes
from workflow_scripts.report.tables import domains_of, over_seeds

WIDTH = 11.0
"""Width of the figure in inches."""
ENDS = (0.0, 1.0)

Point = tuple[float, float]
"""An alpha and an accuracy in percent."""


@dataclass(frozen=True)
class Curve:
    """One method on one domain: alphas, accuracies and intervals in percent, and the points that are marked."""

    alphas: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    ends: tuple[Point, ...]
    oracle: Point | None


def curve(means: pd.DataFrame, *, method: str, domain: str, oracle: str | None) -> Curve:
    """Return a method's top-1 accuracy on a domain, sorted by alpha; empty if it was not measured.

    `ends` holds the pre-trained and the fine-tuned end as far as they were measured. The oracle was chosen on real
    test images and is marked on these alone.
    """
    chosen = means[(means["method"] == method) & (means["domain"] == domain)]
    chosen = chosen[(chosen["metric"] == HEADLINE) & (chosen["space"] == ALL_CLASSES)]
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
        ends=tuple((end, points[end]) for end in ENDS if end in points),
        oracle=(best, points[best]) if best is not None and best in points else None,
    )


def columns_for(panels: int) -> int:
    """Return how many panels stand side by side: three or four, whichever leaves fewer places empty."""
    return min(panels, min((3, 4), key=lambda columns: (-panels % columns, columns)))


def alpha_figure(metrics: pd.DataFrame, *, fixed_alpha: str) -> Figure:
    """Draw the alpha curves of all methods on every domain, with both ends, the fixed alpha and the oracle marked."""
    means, domains = over_seeds(metrics), domains_of(metrics)
    methods = [name for name in methods_of(means) if name != ZERO_SHOT]
    if not domains or not methods:
        return message_figure("There is no alpha curve: no method was trained, or there is no image to measure it on.")
    styles = strokes(methods)
    places = len(domains) + 1
    columns = columns_for(places)
    lines = -(-places // columns)
    figure = Figure(
        figsize=(WIDTH, WIDTH / columns * 0.78 * lines), layout=ConstrainedLayoutEngine(hspace=0.08, wspace=0.06)
    )
    axes = list(figure.subplots(lines, columns, squeeze=False).ravel())
    for axis, domain in zip(axes, domains, strict=False):
        _panel(axis, means, styles, domains=domains, domain=domain, fixed_alpha=fixed_alpha)
    for axis in axes[len(domains) :]:
        axis.set_axis_off()
    handles = legend_handles(
        styles, fixed_alpha=fixed_alpha, zero_shot=ZERO_SHOT in set(means["method"]), held_out=HELD_OUT in domains
    )
    axes[len(domains)].legend(handles=handles, loc="center left", borderaxespad=0.0, labelspacing=0.7)
    return figure


def _panel(
    axis: Any,
    means: pd.DataFrame,
    styles: dict[str, Stroke],
    *,
    domains: Sequence[str],
    domain: str,
    fixed_alpha: str,
) -> None:
    axis.axvline(float(fixed_alpha), color=GREY, linestyle=(0, (4, 3)), linewidth=1)
    reference = curve(means, method=ZERO_SHOT, domain=domain, oracle=None)
    if reference.values:
        axis.axhline(reference.values[0], color=GREY, linewidth=1.2)
    for method, stroke in styles.items():
        oracle = oracle_alpha(means, method=method, domains=domains)
        _draw(axis, curve(means, method=method, domain=domain, oracle=oracle), stroke, dashed=domain == HELD_OUT)
    axis.set_title(domain_title(domain))
    axis.set_xlabel("alpha (0 pre-trained, 1 fine-tuned)")
    axis.set_ylabel("top-1 accuracy, %")
    axis.set_xlim(-0.04, 1.04)


def _draw(axis: Any, found: Curve, stroke: Stroke, *, dashed: bool) -> None:
    colour = stroke.colour
    axis.fill_between(found.alphas, found.low, found.high, color=colour, alpha=0.10, linewidth=0)
    axis.plot(found.alphas, found.values, color=colour, linewidth=stroke.width, linestyle="--" if dashed else "-")
    for x, y in found.ends:
        axis.plot(x, y, "o", color=colour, markerfacecolor="white", markersize=3.5 + stroke.width, zorder=4)
    if len(found.alphas) == 1:
        # A method without a second end has a point and no curve.
        axis.plot(found.alphas, found.values, "o", color=colour, markersize=3.5 + stroke.width, zorder=4)
    if found.oracle is not None:
        axis.plot(*found.oracle, "*", color=colour, markeredgecolor="white", markersize=8 + 2 * stroke.width, zorder=5)


def legend_handles(styles: dict[str, Stroke], *, fixed_alpha: str, zero_shot: bool, held_out: bool) -> list[Line2D]:
    """Return what the legend explains: a line per method, then every mark once."""
    handles = [Line2D([], [], color=each.colour, linewidth=each.width, label=name) for name, each in styles.items()]
    if zero_shot:
        handles.append(Line2D([], [], color=GREY, linewidth=1.2, label="zero-shot (nothing trained)"))
    fixed = f"alpha {fixed_alpha}, fixed beforehand"
    handles.append(Line2D([], [], color=GREY, linewidth=1, linestyle=(0, (4, 3)), label=fixed))
    ends = "pre-trained and fine-tuned ends"
    handles.append(Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="", label=ends))
    oracle = "oracle (chosen on test)"
    handles.append(Line2D([], [], color=GREY, marker="*", markersize=9, linestyle="", label=oracle))
    if held_out:
        held = "measured on generated images"
        handles.append(Line2D([], [], color=GREY, linewidth=2, linestyle="--", label=held))
    return handles
