"""Settings of fine-tuning an image encoder and its zero-shot head, plain or under regularization."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from workflow_scripts.common.settings import Count, Fraction, NonNegative, Positive
from workflow_scripts.training.method_settings import Method


class Finetune(Method):
    """A method that trains the image encoder and the head on images; plain when both regularizers weigh nothing."""

    kind: Literal["finetune"]
    variance_weight: NonNegative = 0.0
    """Weight of the variance term (RegFT: 0.16)."""
    covariance_weight: NonNegative = 0.0
    """Weight of the covariance term (RegFT: 0.02)."""
    epochs: Count = 10
    batch_size: Annotated[int, Field(ge=2)] = 128
    """Images per step; the last incomplete batch of an epoch is dropped."""
    learning_rate: Positive = 3e-5
    """Peak learning rate; the paper's is unknown, WiSE-FT's example uses 3e-5."""
    weight_decay: NonNegative = 0.1
    warmup_fraction: Fraction = 0.1
    """Share of all steps in which the learning rate rises linearly; cosine to zero follows."""
    gradient_clip: Positive = 1.0
    """Largest global norm of the gradient."""
    label_smoothing: Fraction = 0.0
    freeze_batch_norm: bool = False
    """Whether batch normalization keeps its running statistics (ResNet encoders)."""
    freeze_encoder: bool = False
    """Whether the head alone is trained: a linear probe that starts from the zero-shot head."""
    min_crop_scale: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """Smallest share of the area that the random crop keeps (RegFT: 0.9)."""

    def errors(self) -> Iterable[tuple[str, str]]:
        """Yield whether there is nothing that the regularizers could change."""
        for name in ("variance_weight", "covariance_weight"):
            if self.freeze_encoder and getattr(self, name):
                yield name, f"{getattr(self, name)}, but features of a frozen encoder stay as they are; set 0"


SETTINGS = Finetune
