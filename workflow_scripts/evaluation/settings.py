"""Settings of scoring images and of the metrics made from the scores."""

from typing import Annotated, Literal

from pydantic import Field

from workflow_scripts.common.settings import Alpha, Count, Name, Precision, Seed, Settings


class Scoring(Settings):
    """How images are scored."""

    batch_size: Count = 256
    precision: Precision = "fp32"
    full_logits: bool = False
    """Whether all logits are kept, as float16; by default the five largest and their summary are."""


class ScoringJob(Scoring):
    """What one scoring job needs to know."""

    alphas: Annotated[tuple[Alpha, ...], Field(min_length=1)]
    split: Literal["all", "held-out"]
    base: tuple[int, ...] | None = None
    """Sorted labels of the base classes; with them each image is also scored within its own label set."""


class Metrics(Settings):
    """How metrics and their intervals are computed from scores."""

    resamples: Count = 1_000
    """Bootstrap resamples of the images."""
    level: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    """Coverage of the intervals."""
    bins: Count = 15
    """Bins of equal width of the expected calibration error."""
    seed: Seed = 0


class MetricsJob(Metrics):
    """What one metrics job needs to know."""

    dataset: Name
    source: Name
    clip: Name
    method: Name
    run_seed: Seed
    train_classes: str
    domains: tuple[Name, ...]
    """Evaluation domains, in the order of the score tables."""


class Evaluation(Settings):
    """Scoring and metrics."""

    scoring: Scoring = Scoring()
    metrics: Metrics = Metrics()
