"""What every kind of method says of itself: its settings, what it is trained on, and what it hands over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AfterValidator, Field

from workflow_scripts.common.run_files import ENCODER, HEAD, METADATA, TRAINING_LOG
from workflow_scripts.common.settings import Count, Name, Positive, Precision, Seed, Settings


class NoAveraging(Settings):
    """The last weights stand."""

    kind: Literal["none"] = "none"


class EmaAveraging(Settings):
    """Exponential moving average over steps."""

    kind: Literal["ema"]
    decay: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.99


class SoupAveraging(Settings):
    """Uniform mean over the weights of every validation."""

    kind: Literal["soup"]


class BestAveraging(Settings):
    """The weights of the validation with the lowest loss on held-out training images."""

    kind: Literal["best"] = "best"


class SwadAveraging(Settings):
    """SWAD: dense mean over the valley of the held-out loss."""

    kind: Literal["swad"] = "swad"
    n_converge: Count = 3
    """Validations in a row of which the first must be the lowest for the valley to begin."""
    n_tolerance: Count = 6
    """Validations in a row that must all lie above the threshold for the valley to end."""
    tolerance_ratio: Positive = 0.3
    """The threshold lies this share above the mean loss at the valley's beginning."""


Averaging = Annotated[
    NoAveraging | EmaAveraging | SoupAveraging | BestAveraging | SwadAveraging, Field(discriminator="kind")
]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a name occurs twice")
    return names


Input = Literal["images", "clip", "zero-shot-head"]
"""What the rule of every run of a kind gives to its training; what depends on settings, methods of `Method` say."""
Endpoint = Literal["pretrained", "finetuned"]
SeenClasses = Literal["all", "base", "none"]


@dataclass(frozen=True)
class OtherRuns:
    """Runs whose artifacts a training reads: a method of the configuration, with the run's own seed or with all."""

    method: str
    seeds: Literal["same", "all"]


class Method(Settings):
    """What every method may say, and what planning, evaluation and export need to know of its kind.

    The class variables and methods are all that anybody outside `training/KIND/` knows of a kind.
    """

    inputs: ClassVar[tuple[Input, ...]] = ("images", "clip", "zero-shot-head")
    artifacts: ClassVar[tuple[str, ...]] = (ENCODER, HEAD)
    """Files in the run's folder that its training writes and its classifier reads."""
    classifier: ClassVar[str] = "ensembling.linear_classifier"
    """Module that makes a classifier of the artifacts: see `ensembling.classifier`."""
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("pretrained", "finetuned")
    """With both the classifier is averaged at every alpha; with one it is what it is."""
    exported: ClassVar[bool] = True
    """Whether the classifier is a CLIP with a head, which plain open_clip can carry."""
    has_training_log: ClassVar[bool] = True
    """Whether something is trained step by step, and a log of the steps is written."""

    train_on: Literal["generated", "real", "mixed"] = "generated"
    """Images to train on: those of the run's generator, the data set's real training images, or both together."""
    shots: Count | None = None
    """Real training images per class and domain, drawn with the run's seed; all if null. Needs real images."""
    train_classes: Literal["all", "base"] = "all"
    """Classes to train on: all, or the base half of the data set's `base_classes`."""
    domains: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_distinct)] | None = None
    """Domains whose images are trained on; all if null."""
    leave_one_domain_out: bool = False
    """Train once per domain of the test images, without the domain of that name: NAME.without-DOMAIN."""
    head: Name | None = None
    """Zero-shot head to start from, by its name among the data set's `prompts.heads`; the first if null."""
    averaging: Averaging = NoAveraging()
    """Average over the training's own weights that becomes the fine-tuned endpoint."""
    precision: Precision = "fp32"

    @property
    def seen_classes(self) -> SeenClasses:
        """Return which classes were seen in training, as tables say it."""
        return self.train_classes

    @property
    def sees_real_images(self) -> bool:
        """Return whether the data set's real training images are trained on, alone or beside generated ones."""
        return self.train_on != "generated"

    @classmethod
    def outputs(cls) -> tuple[str, ...]:
        """Return every file that a training of this kind writes into its run's folder."""
        return (*cls.artifacts, METADATA, *((TRAINING_LOG,) if cls.has_training_log else ()))

    def student_name(self) -> str | None:
        """Return the student of the configuration that the method trains, if it does."""
        return None

    def embeddings(self) -> Literal["clip", "imagenet"] | None:
        """Return the preprocessing under which the training images are embedded beforehand; None if they are not."""
        return None

    def other_runs(self) -> OtherRuns | None:
        """Return whose artifacts the method builds on; they are on the same data set, source and CLIP."""
        return None

    def errors(self) -> Iterable[tuple[str, str]]:
        """Yield a key of these settings, and how it does not fit another one."""
        return ()

    def class_errors(
        self,
        dataset: str,  # noqa: ARG002
        *,
        base: int | None,  # noqa: ARG002
        classes: int,  # noqa: ARG002
    ) -> Iterable[tuple[str, str]]:
        """Yield a key of these settings, and how it does not fit the number of a data set's classes.

        Args:
            dataset: name of the data set.
            base: number of its base classes; None if it has no such protocol.
            classes: number of all its classes.
        """
        return ()


class ZeroShot(Method):
    """What trains nothing: the zero-shot head on CLIP's own image encoder."""

    inputs: ClassVar[tuple[Input, ...]] = ()
    artifacts: ClassVar[tuple[str, ...]] = (HEAD,)
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("pretrained",)
    exported: ClassVar[bool] = False
    has_training_log: ClassVar[bool] = False

    @property
    def seen_classes(self) -> SeenClasses:
        """Return that no class was."""
        return "none"


MethodT = TypeVar("MethodT", bound=Method)


class TrainingJob(Settings, Generic[MethodT]):
    """What one training job needs to know: its method's settings, and which run it is."""

    method: MethodT
    seed: Seed
    base: tuple[int, ...] | None = None
    """Labels of the base classes, if the method is trained on these alone."""


def training_job(method: Method, *, seed: int, base: tuple[int, ...] | None) -> Settings:
    """Return the settings of a training job, as the method's own kind reads them."""
    job: Any = TrainingJob[type(method)]  # type: ignore[misc]
    settings: Settings = job(method=method, seed=seed, base=base)
    return settings
