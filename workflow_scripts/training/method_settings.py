"""Settings that every kind of method has: what it is trained on, and what its weights are averaged over."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

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


class Method(Settings):
    """What every method may say."""

    train_on: Literal["generated", "real"] = "generated"
    """Images to train on: those of the run's generator, or the data set's real training images."""
    shots: Count | None = None
    """Real training images per class and domain, drawn with the run's seed; all if null. Needs `train_on: real`."""
    train_classes: Literal["all", "base"] = "all"
    """Classes to train on: all, or the base half of the data set's `base_classes`."""
    domains: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_distinct)] | None = None
    """Domains whose images are trained on; all if null."""
    leave_one_domain_out: bool = False
    """Train once per domain of the test images, without the domain of that name: NAME.without-DOMAIN."""
    averaging: Averaging = NoAveraging()
    """Average over the training's own weights that becomes the fine-tuned endpoint."""
    precision: Precision = "fp32"


class ImageSelection(Settings):
    """Which images and classes one training sees, resolved for its data set."""

    seed: Seed
    base: tuple[int, ...] | None = None
    """Labels of the base classes, if the method is trained on these alone."""
