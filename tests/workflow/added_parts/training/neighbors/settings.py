"""Settings of k-nearest neighbors."""

from typing import ClassVar, Literal

from workflow_scripts.common.settings import Count
from workflow_scripts.training.method_settings import Endpoint, Input, Method

CACHE = "cache.safetensors"


class Neighbors(Method):
    """Nothing is trained: a picture has the classes of the training images whose embeddings lie nearest."""

    inputs: ClassVar[tuple[Input, ...]] = ("images", "clip")
    artifacts: ClassVar[tuple[str, ...]] = (CACHE,)
    classifier: ClassVar[str] = "training.neighbors.classifier"
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("finetuned",)
    exported: ClassVar[bool] = False
    has_training_log: ClassVar[bool] = False

    kind: Literal["neighbors"]
    count: Count = 5
    """Neighbors that vote."""

    def embeddings(self) -> Literal["clip", "imagenet"] | None:
        """Return CLIP's own preprocessing."""
        return "clip"


SETTINGS = Neighbors
