"""What things are called in the report, in plain words."""

from workflow_scripts.common.constants import HELD_OUT, MEAN, REAL_TEST, REAL_TRAIN, ZERO_SHOT

LABEL_SETS = {
    "all": "all classes",
    "base": "base classes",
    "new": "new classes",
    "harmonic": "harmonic mean of base and new",
}
"""Label sets: a class competes with those of its label set only."""

_SOURCES = {REAL_TRAIN: "real, training", REAL_TEST: "real, test"}


def domain_title(domain: str) -> str:
    """Return what a domain is called on the page, so that every number says on what it was measured."""
    return {MEAN: "mean of real domains", HELD_OUT: "held out of training"}.get(domain, f"real: {domain}")


def source_title(source: str) -> str:
    """Return what the images of a source are: generated, or the training or test images of a real data set."""
    return _SOURCES.get(source, "generated")


def is_zero_shot(method: str) -> bool:
    """Return whether a method trains nothing: zero-shot with the first head, or with another one by name."""
    return method == ZERO_SHOT or method.startswith(f"{ZERO_SHOT}.")
