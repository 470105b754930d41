"""The two ends of a run's model and every point between them, read from the files that a method handed over."""

from dataclasses import dataclass

from workflow_scripts.ensembling.average import interpolate
from workflow_scripts.ground.encoders import RunEncoder
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.files import digest_of
from workflow_scripts.ground.handover import ClassWeights
from workflow_scripts.ground.weights import StateDict, digest_of_tensors


@dataclass(frozen=True)
class Ends:
    """An image encoder and class weights, each with one end or two."""

    encoder: RunEncoder
    class_weights: ClassWeights

    def encoder_at(self, alpha: str) -> StateDict:
        """Return the image encoder's state dict at an alpha; an encoder with one end is the same at every alpha.

        Raises:
            InputError: the encoder has neither end.
        """
        start, end = self.encoder.pretrained, self.encoder.trained
        if start is not None and end is not None:
            return interpolate(start, end, alpha)
        only = end if start is None else start
        if only is None:
            raise InputError("the run's encoder has no weights; delete its model.safetensors and run snakemake again")
        return only

    def head_at(self, alpha: str) -> StateDict:
        """Return `weight` (classes, dimension) and `bias` (classes) at an alpha."""
        return head_at(self.class_weights, alpha)


def head_at(class_weights: ClassWeights, alpha: str) -> StateDict:
    """Return the class weights at an alpha: written for it, or between two ends, or the only end.

    Raises:
        InputError: the method handed over one matrix per alpha, but none for this one.
    """
    heads = class_weights.heads
    if f"at.{alpha}" in heads:
        return heads[f"at.{alpha}"]
    if "pretrained" not in heads:
        raise InputError(f"no class weights for alpha {alpha} (there are {', '.join(sorted(heads))})")
    start = heads["pretrained"]
    return interpolate(start, heads["trained"], alpha) if "trained" in heads else start


def head_digest(class_weights: ClassWeights, alpha: str) -> str:
    """Return what the class weights at one alpha depend on, so that a further alpha leaves the others as they are."""
    names = [f"at.{alpha}"] if f"at.{alpha}" in class_weights.heads else sorted(class_weights.heads)
    return digest_of(
        {
            "classes": list(class_weights.classes),
            "heads": {name: digest_of_tensors(class_weights.heads[name]) for name in names},
        }
    )
