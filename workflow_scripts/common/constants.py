"""Names that stages share, in paths, tables and on the page."""

from typing import Final

REAL_TRAIN: Final = "real-train"
REAL_TEST: Final = "real-test"
ZERO_SHOT: Final = "zero-shot"
"""The method that trains nothing."""
NO_SOURCE: Final = "none"
"""Source of what is trained on no image: the zero-shot head."""
HELD_OUT: Final = "held-out"
"""Evaluation domain: the held-out fifth of the images that the method was trained on, all domains together."""
MEAN: Final = "mean"
"""Domain of a metric that is the mean over all real domains."""
WITHOUT: Final = ".without-"
"""Stands in a method's name before the domain that it was trained without."""

METRIC_KEYS = (
    "dataset",
    "source",
    "clip",
    "method",
    "seed",
    "alpha",
    "domain",
    "label_set",
    "train_classes",
    "metric",
)
"""Columns of a metric table that say what a row measures."""
METRIC_NUMBERS = ("value", "low", "high")
"""Its other columns: what was measured, and the interval."""
METRIC_COLUMNS = (*METRIC_KEYS, *METRIC_NUMBERS)
