"""The two endpoints of a run's weights and the interpolated weights between them, read from a method's artifacts."""

from dataclasses import dataclass

from workflow_scripts.common.artifacts import RunHead
from workflow_scripts.common.encoders import RunEncoder
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import digest_of
from workflow_scripts.common.weights import StateDict, digest_of_tensors
from workflow_scripts.ensembling.interpolation import interpolate


@dataclass(frozen=True)
class Endpoints:
    """An image encoder and a head, each with one endpoint or two."""

    encoder: RunEncoder
    head: RunHead

    def encoder_at(self, alpha: str) -> StateDict:
        """Return the image encoder's state dict at an alpha; an encoder with one endpoint is the same at every alpha.

        Raises:
            InputError: the encoder has neither endpoint.
        """
        pretrained, finetuned = self.encoder.pretrained, self.encoder.finetuned
        if pretrained is not None and finetuned is not None:
            return interpolate(pretrained, finetuned, alpha)
        only = finetuned if pretrained is None else pretrained
        if only is None:
            raise InputError("the run's encoder has no weights; delete its encoder.safetensors and run snakemake again")
        return only

    def head_at(self, alpha: str) -> StateDict:
        """Return `weight` (classes, dimension) and `bias` (classes) at an alpha."""
        return head_at(self.head, alpha)


def head_at(head: RunHead, alpha: str) -> StateDict:
    """Return a run's head at an alpha: written for it, or interpolated between its endpoints, or the only one.

    Raises:
        InputError: the method wrote one head per alpha, but none for this one.
    """
    variants = head.variants
    if f"at.{alpha}" in variants:
        return variants[f"at.{alpha}"]
    if "pretrained" not in variants:
        raise InputError(f"no head for alpha {alpha} (there are {', '.join(sorted(variants))})")
    pretrained = variants["pretrained"]
    return interpolate(pretrained, variants["finetuned"], alpha) if "finetuned" in variants else pretrained


def head_digest(head: RunHead, alpha: str) -> str:
    """Return what the head at one alpha depends on, so that a further alpha leaves the others as they are."""
    names = [f"at.{alpha}"] if f"at.{alpha}" in head.variants else sorted(head.variants)
    return digest_of(
        {
            "classes": list(head.classes),
            "variants": {name: digest_of_tensors(head.variants[name]) for name in names},
        }
    )
