"""What a judge recognizes in the drawn pictures, which of them are copies, and the classes that are drawn worst."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from workflow_scripts.common.shards import load_image_set
from workflow_scripts.report.figure import FigureInputs, FigureTexts, ReportFigure
from workflow_scripts.report.inspections import (
    DrawnClass,
    DrawnDomain,
    Share,
    drawn_classes,
    drawn_domains,
    read_inspections,
)
from workflow_scripts.report.style import COLORS, GRAY

WIDTH = 11.0
WORST = 15
"""Classes that are shown, the worst first."""


def texts(inputs: FigureInputs) -> FigureTexts:
    """Return title, caption with the numbers, and alternative text."""
    domains, worst = _content(inputs)
    numbers = "; ".join(_sentence(domain) for domain in domains)
    return FigureTexts(
        title="What was drawn",
        caption=(
            "Share of the drawn pictures whose class a judge names right, a network that was trained on real pictures; "
            "beside it its share on real test pictures; and the share of drawn pictures that are twins of a training "
            f"picture. {numbers or 'No judge was asked'}. The judge shares training pictures with the generator: what "
            "looks like one of them is recognized more easily."
        ),
        alt=(
            "Bars of recognized and copied shares for each domain, and of the classes that are recognized least: "
            f"{', '.join(item.name for item in worst) or 'none'}."
        ),
    )


def _sentence(domain: DrawnDomain) -> str:
    real = "" if domain.real is None else f" (real ones {_percent(domain.real)})"
    copies = "" if domain.copies is None else f", copies {_percent(domain.copies)}"
    first, five = _percent(domain.top1), f"{100 * domain.top5.value:.1f}"
    return f"{domain.domain}: {domain.images} pictures, {first} recognized{real}, {five} % among five{copies}"


def _percent(share: Share) -> str:
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def draw(inputs: FigureInputs) -> Figure | str:
    """Draw the shares by domain beside the worst classes."""
    domains, worst = _content(inputs)
    if not domains:
        return "No judge looked at drawn pictures: the data set names none (judge), or nothing was drawn."
    figure = Figure(figsize=(WIDTH, 0.6 + 0.26 * max(len(worst), 3 * len(domains))), layout="constrained")
    left, right = figure.subplots(1, 2)
    _shares(left, domains)
    _classes(right, worst)
    return figure


def _content(inputs: FigureInputs) -> tuple[list[DrawnDomain], list[DrawnClass]]:
    inspections = read_inspections(inputs.inspections)
    if inspections.empty:
        return [], []
    classes = load_image_set(inputs.training_images[0]).classes
    return drawn_domains(inspections), drawn_classes(inspections, classes)[:WORST]


def _shares(axis: Any, domains: Sequence[DrawnDomain]) -> None:
    rows: list[tuple[str, Share, str]] = []
    for domain in domains:
        rows.append((f"{domain.domain}: recognized", domain.top1, COLORS[0]))
        rows += [] if domain.real is None else [("real test pictures", domain.real, GRAY)]
        rows += [] if domain.copies is None else [("copies", domain.copies, COLORS[1])]
    for place, (_, share, color) in enumerate(rows):
        value, low, high = (100.0 * number for number in (share.value, share.low, share.high))
        axis.barh(place, value, color=color, height=0.7)
        axis.plot([low, high], [place, place], color="#1b1f24", linewidth=1)
        axis.annotate(f"{value:.1f}", (high, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axis.invert_yaxis()
    axis.set_xlim(0, 108)
    axis.set_xlabel("% of the pictures")
    axis.set_title("By domain")
    axis.grid(visible=False, axis="y")


def _classes(axis: Any, worst: Sequence[DrawnClass]) -> None:
    for place, item in enumerate(worst):
        axis.barh(place, 100.0 * item.top1, color=COLORS[0], height=0.7)
        note = f"{100 * item.top1:.0f}" + (f", mostly taken for {item.taken_for}" if item.taken_for else "")
        axis.annotate(
            note, (100 * item.top1, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
        )
    axis.set_yticks(range(len(worst)), [item.name for item in worst])
    axis.invert_yaxis()
    axis.set_xlim(0, 130)
    axis.set_xticks(range(0, 101, 25))
    axis.set_xlabel("% recognized")
    axis.set_title("The classes that are drawn worst")
    axis.grid(visible=False, axis="y")


FIGURE = ReportFigure(texts=texts, draw=draw)
