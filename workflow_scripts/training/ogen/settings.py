"""Settings of OGEN (arXiv 2401.15914). Constants are the release's, where it has them."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from workflow_scripts.common.settings import Count, Fraction, NonNegative, Positive, Text
from workflow_scripts.training.method_settings import Input, Method

CONTEXT = "context.safetensors"
"""Both endpoints of the context: OGEN's only artifact."""

Variant = Literal["published", "released", "none"]


class Ogen(Method):
    """Learned context on frozen CLIP towers, with a feature generator for classes that no image is seen of."""

    inputs: ClassVar[tuple[Input, ...]] = ("images", "clip")
    artifacts: ClassVar[tuple[str, ...]] = (CONTEXT,)
    classifier: ClassVar[str] = "training.ogen.classifier"

    kind: Literal["ogen"]
    train_classes: Literal["all", "base"] = "base"
    """Classes to train on; the generator needs classes that it knows by name only, so `all` goes with `none` alone."""
    variant: Variant = "published"
    """`published`: the paper's joint extrapolation and teacher; `released`: what the authors' code computes; `none`:
    prompt learning alone (CoOp), to compare with."""
    context: Literal["shared", "class-specific"] = "shared"
    """Whether all classes share the context vectors (CoOp), or each has its own."""
    context_words: Text = "a photo of a"
    """Words whose embeddings the context starts with; a prompt is context, name, full stop."""
    neighbors: Count = 3
    """k: base classes whose features a new one is generated from."""
    attention_heads: Count = 4
    """Heads of the generator's attention; they divide the embedding."""
    dropout: Fraction = 0.1
    """Dropout of the generator's attention."""
    epochs: Count = 10
    batch_size: Annotated[int, Field(ge=2)] = 32
    learning_rate: Positive = 0.002
    momentum: Fraction = 0.9
    weight_decay: NonNegative = 5e-4
    warmup_rate: Positive = 1e-5
    """Learning rate of the first epoch."""
    generator_warmup: Fraction = 0.2
    """Share of the epochs in which only the generator is trained."""
    min_crop_scale: Annotated[float, Field(gt=0.0, le=1.0)] = 0.08
    flip: bool = True
    """Whether half of the images are mirrored."""
    distillation_weight: NonNegative = 1.0
    """Weight of the adaptive local mean teacher (`published` only; the paper's is unknown)."""
    window_max: Count = 9
    """Epochs in the teacher's window at first (ours; the published values could not be checked)."""
    window_min: Count = 2
    """Epochs in the teacher's window at last (ours)."""
    teacher_momentum: Fraction = 0.9
    """Momentum of the teacher's average over its window (ours)."""

    def embeddings(self) -> Literal["clip", "imagenet"] | None:
        """Return CLIP's own preprocessing: class statistics are those of its features."""
        return "clip"

    def errors(self) -> Iterable[tuple[str, str]]:
        """Yield whether new classes are missing."""
        if self.variant != "none" and self.train_classes == "all":
            yield "train_classes", f"'all', but variant {self.variant!r} needs new classes; set 'base'"

    def class_errors(self, dataset: str, *, base: int | None, classes: int) -> Iterable[tuple[str, str]]:
        """Yield whether a class has too few neighbors."""
        if self.variant == "none" or base is None:
            return
        candidates = [("other base", base - 1)]
        if self.variant == "released":
            candidates.append(("new", classes - base))
        for what, count in candidates:
            if self.neighbors > count:
                yield "neighbors", f"{self.neighbors}, but {dataset!r} has {count} {what} classes"


SETTINGS = Ogen
