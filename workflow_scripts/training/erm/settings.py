"""Settings of ERM: DomainBed's baseline (arXiv 2007.01434), under the protocol of VL2V's release."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from workflow_scripts.common.run_files import ENCODER
from workflow_scripts.common.settings import Count, Name
from workflow_scripts.training.domainbed.settings import Augmentation, Phase
from workflow_scripts.training.method_settings import Endpoint, Input, Method


class Erm(Method):
    """A student with a linear classifier, both trained by cross-entropy: no teacher and no text."""

    inputs: ClassVar[tuple[Input, ...]] = ("images",)
    artifacts: ClassVar[tuple[str, ...]] = (ENCODER,)
    classifier: ClassVar[str] = "training.erm.classifier"
    # Before training there is no classifier, and a student is no CLIP.
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("finetuned",)
    exported: ClassVar[bool] = False

    kind: Literal["erm"]
    student: Name
    """A student of the configuration."""
    training: Phase = Phase()
    batch_per_domain: Count = 32
    """Images per step and domain, drawn with replacement."""
    preprocessing: Literal["clip", "imagenet"] = "imagenet"
    """Constants under which the student sees pictures: `clip` for its own, or ImageNet's (the release)."""
    augmentation: Augmentation | None = Augmentation()

    def student_name(self) -> str | None:
        """Return the student."""
        return self.student

    def errors(self) -> Iterable[tuple[str, str]]:
        """Yield whether there are classes that it could never name."""
        if self.train_classes != "all":
            yield (
                "train_classes",
                f"{self.train_classes!r}, but without text it knows only what it sees images of",
            )


SETTINGS = Erm
