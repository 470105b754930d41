"""Settings that VL2V-ADiP and VL2V-SD (arXiv 2310.08255) share. Defaults are the paper's and its release's."""

from typing import Annotated, Literal

from pydantic import Field

from workflow_scripts.common.settings import Count, Fraction, Positive, Settings
from workflow_scripts.training.method_settings import Averaging, Method, SwadAveraging


class Augmentation(Settings):
    """Augmentation of VL2V; it turns a cached table of the teacher's embeddings into calls at every step."""

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


class Vl2v(Method):
    """What both methods may say."""

    image_weight: Fraction = 0.5
    """lambda: weight of the teacher's image embedding against the text embedding (0.1 is advised in-domain)."""
    batch_per_domain: Count = 32
    """Images per step and domain, drawn with replacement."""
    preprocessing: Literal["clip", "imagenet"] = "imagenet"
    """How encoders see pictures: as CLIP does, or squashed to a square under ImageNet's constants (the release)."""
    augmentation: Augmentation | None = Augmentation()
    averaging: Averaging = SwadAveraging()
