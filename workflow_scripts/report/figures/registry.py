"""The registry of figures, a line each: a module of this package that has a `FIGURE`."""

FIGURES = (
    "images",
    "drawn",
    "alphas",
    "training",
)
"""Figures of every comparison, in the order of the page."""
