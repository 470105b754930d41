"""Names that stages share, in paths, tables and on the page."""

REAL_TRAIN = "real-train"
REAL_TEST = "real-test"
ZERO_SHOT = "zero-shot"
"""The method that trains nothing."""
NO_SOURCE = "none"
"""Source of what is trained on no image: the zero-shot head."""
HELD_OUT = "held-out"
"""Evaluation domain: the held-out fifth of the images that the method was trained on, all styles together."""
MEAN = "mean"
"""Domain of a metric that is the mean over all real domains."""

METRIC_KEYS = (
    "dataset",
    "source",
    "clip",
    "method",
    "seed",
    "alpha",
    "domain",
    "space",
    "train_classes",
    "metric",
)
"""Columns of a metric table that say what a row measures."""
METRIC_NUMBERS = ("value", "low", "high")
"""Its other columns: what was measured, and the interval."""
METRIC_COLUMNS = (*METRIC_KEYS, *METRIC_NUMBERS)
