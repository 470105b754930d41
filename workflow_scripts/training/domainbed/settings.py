"""Settings of a training under DomainBed's protocol (arXiv 2007.01434, as in VL2V's release)."""

from typing import Annotated

from pydantic import Field

from workflow_scripts.common.settings import Count, Fraction, Positive, Settings


class Augmentation(Settings):
    """DomainBed's augmentation; it turns a cached table of a teacher's embeddings into calls at every step."""

    min_crop_scale: Annotated[float, Field(gt=0.0, le=1.0)] = 0.7
    flip: bool = True
    color_jitter: Fraction = 0.3
    """Strength of the jitter of brightness, contrast, saturation and hue."""
    grayscale: Fraction = 0.1
    """Share of images that lose their colors."""


class Phase(Settings):
    """One phase of a training that samples each domain with replacement."""

    steps: Count = 5001
    """Optimizer steps (DomainNet: 15001)."""
    validate_every: Count = 200
    """Steps between two validations on held-out images (DomainNet: 1000)."""
    learning_rate: Positive = 5e-5
    """Constant learning rate of Adam; no weight decay."""
