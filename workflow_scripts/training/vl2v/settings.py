"""Settings that VL2V-ADiP and VL2V-SD (arXiv 2310.08255) share. Defaults are the paper's and its release's."""

from typing import Literal

from workflow_scripts.common.settings import Count, Fraction
from workflow_scripts.training.domainbed.settings import Augmentation
from workflow_scripts.training.method_settings import Averaging, Method, SwadAveraging


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
