"""Settings of VL2V-ADiP (arXiv 2310.08255). Defaults are the paper's and its release's."""

from typing import ClassVar, Literal

from workflow_scripts.common.settings import Name
from workflow_scripts.training.domainbed.settings import Phase
from workflow_scripts.training.method_settings import Averaging, BestAveraging, Endpoint
from workflow_scripts.training.vl2v.settings import Vl2v


class Vl2vAdip(Vl2v):
    """VL2V-ADiP, black box: a student is aligned with a teacher, then distilled, and predicts with text."""

    # A student has no pre-trained endpoint in its teacher's space, and is no CLIP.
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("finetuned",)
    exported: ClassVar[bool] = False

    kind: Literal["vl2v-adip"]
    student: Name
    """A student of the configuration."""
    align: Phase = Phase()
    """First phase: the projection alone is trained."""
    align_averaging: Averaging = BestAveraging()
    """What the second phase starts from; the release takes the best validation on held-out images."""
    distill: Phase = Phase()
    """Second phase: the student alone is trained."""

    def student_name(self) -> str | None:
        """Return the student."""
        return self.student

    def embeddings(self) -> Literal["clip", "imagenet"] | None:
        """Return how the teacher sees pictures; augmented ones cannot be embedded beforehand."""
        return self.preprocessing if self.augmentation is None else None


SETTINGS = Vl2vAdip
