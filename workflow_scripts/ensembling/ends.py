"""The two ends of a run's model and every point between them, read from the files that a method handed over."""

from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.ensembling.average import interpolate
from workflow_scripts.ground.clip import Clip
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.handover import load_class_weights
from workflow_scripts.ground.weights import StateDict, check_same_tensors, load_weights


@dataclass(frozen=True)
class Ends:
    """Image encoder and class weights at both ends; `trained` is None where only class weights differ, or nothing."""

    pretrained: StateDict
    trained: StateDict | None
    heads: dict[str, StateDict]
    classes: tuple[str, ...]

    def encoder_at(self, alpha: str) -> StateDict:
        """Return the image encoder's state dict at an alpha."""
        return self.pretrained if self.trained is None else interpolate(self.pretrained, self.trained, alpha)

    def head_at(self, alpha: str) -> StateDict:
        """Return `weight` (classes, dimension) and `bias` (classes) at an alpha.

        Raises:
            InputError: the method handed over one matrix per alpha, but none for this one.
        """
        if f"at.{alpha}" in self.heads:
            return self.heads[f"at.{alpha}"]
        if "pretrained" not in self.heads:
            raise InputError(f"no class weights for alpha {alpha} (there are {', '.join(sorted(self.heads))})")
        start = self.heads["pretrained"]
        return interpolate(start, self.heads["trained"], alpha) if "trained" in self.heads else start


def load_ends(clip: Clip, *, encoder: Path | None, class_weights: Path) -> Ends:
    """Read what a method handed over.

    Args:
        clip: the pre-trained CLIP.
        encoder: the trained image encoder, or None if it was not trained.
        class_weights: the class weights.

    Raises:
        InputError: a file is unreadable, or its tensors do not fit the CLIP.
    """
    pretrained = {name: tensor.detach().cpu() for name, tensor in clip.visual.state_dict().items()}
    trained = None
    if encoder is not None:
        trained, _ = load_weights(encoder)
        check_same_tensors(pretrained, trained, what=str(encoder))
    heads, classes = load_class_weights(class_weights)
    return Ends(pretrained, trained, heads, classes)
