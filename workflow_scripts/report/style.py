"""The look that all figures share."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure

mpl.use("Agg")

COLORS = ("#2f6bd8", "#d1581c", "#1e8a5a", "#8a52be", "#a87f00", "#c23a78", "#1f7f9f", "#5f6770")
GRAY = "#5f6770"
INK = "#1b1f24"
DPI = 200
"""Twice what the page shows, so that figures stay sharp on dense screens and on paper."""

_MAX_LINE_WIDTH, _MIN_LINE_WIDTH = 3.0, 1.3


@dataclass(frozen=True)
class Stroke:
    """How one method is drawn in every figure."""

    color: str
    width: float


def strokes(methods: Sequence[str]) -> dict[str, Stroke]:
    """Return a color and a line width per method; they depend on the set of methods, not on its order.

    Lines get thinner from first to last, and are drawn in this order: where two methods coincide, both are seen.
    """
    ordered = sorted(set(methods))
    step = (_MAX_LINE_WIDTH - _MIN_LINE_WIDTH) / max(1, len(ordered) - 1)
    first = _MAX_LINE_WIDTH if len(ordered) > 1 else 2.0
    return {name: Stroke(COLORS[k % len(COLORS)], first - k * step) for k, name in enumerate(ordered)}


def apply_style() -> None:
    """Set fonts, grid and colors; names with dollar signs are texts, not formulas."""
    mpl.rcParams.update(
        {
            "font.size": 9,
            "axes.titlesize": 9.5,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 8.5,
            "axes.labelcolor": GRAY,
            "axes.edgecolor": "#b6bdc4",
            "axes.grid": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "grid.color": "#e9ebee",
            "grid.linewidth": 0.7,
            "text.color": INK,
            "xtick.color": "#b6bdc4",
            "ytick.color": "#b6bdc4",
            "xtick.labelcolor": GRAY,
            "ytick.labelcolor": GRAY,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.frameon": False,
            "legend.fontsize": 8.5,
            "text.parse_math": False,
            "figure.facecolor": "white",
            "figure.dpi": DPI,
        }
    )


def message_figure(text: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    figure = Figure(figsize=(8, 0.9))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=GRAY)
    return figure
