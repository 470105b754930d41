"""The look that all figures share."""

from pathlib import Path

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure

mpl.use("Agg")

COLOURS = ("#3366cc", "#cc5522", "#2a8a57", "#8855bb", "#b08800", "#c03a76", "#227c9d", "#6b6b6b")
GREY = "#6b6b6b"
DPI = 130


def apply_style() -> None:
    """Set fonts, grid and colours; names with dollar signs are texts, not formulas."""
    mpl.rcParams.update(
        {
            "font.size": 9,
            "axes.grid": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=list(COLOURS)),
            "grid.color": "#e3e3e3",
            "grid.linewidth": 0.6,
            "axes.axisbelow": True,
            "legend.frameon": False,
            "text.parse_math": False,
            "figure.facecolor": "white",
        }
    )


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG without a creation date, so that equal figures are equal files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, bbox_inches="tight", metadata={"Software": None})


def message_figure(text: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    figure = Figure(figsize=(7, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=GREY)
    return figure
