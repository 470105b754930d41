"""The registry of metrics, a line each: a module of this package that has a `METRIC`."""

METRICS = (
    "top1",
    "top5",
    "mean_per_class",
    "nll",
    "brier",
    "ece",
)
"""Metrics of every run, in the order of the page; metric tables know them by these names."""
