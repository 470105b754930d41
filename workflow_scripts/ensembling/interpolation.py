"""Weight-space averaging: (1 - alpha) theta_pretrained + alpha theta_finetuned (WiSE-FT, RegFT's WSE)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.weights import StateDict, verify_same_tensors

_HALF = (torch.float16, torch.bfloat16)


def interpolate(pretrained: Mapping[str, Tensor], finetuned: Mapping[str, Tensor], alpha: float | str) -> StateDict:
    """Return the state dict between two endpoints.

    Args:
        pretrained: the endpoint at alpha 0.
        finetuned: the endpoint at alpha 1, with the same names and shapes.
        alpha: weight of the fine-tuned endpoint, between 0 and 1.

    Returns:
        New tensors. Alpha 0 and 1 return copies of the very endpoints, bit for bit. Half-precision tensors are
        averaged in float32 and returned in their own type. Buffers that are not floating point (counters) are never
        averaged: they are the pre-trained endpoint's, and at alpha 1 the fine-tuned endpoint's.

    Raises:
        InputError: alpha lies outside 0..1, or tensors are missing, extra or of another shape; they are named.
    """
    weight = float(alpha)
    if not 0.0 <= weight <= 1.0:
        raise InputError(f"alpha {alpha} lies outside 0..1")
    verify_same_tensors(dict(pretrained), dict(finetuned), what="fine-tuned endpoint")
    if weight in (0.0, 1.0):
        return {name: tensor.clone() for name, tensor in (finetuned if weight else pretrained).items()}
    return {name: _between(tensor, finetuned[name], weight) for name, tensor in pretrained.items()}


def _between(pretrained: Tensor, finetuned: Tensor, weight: float) -> Tensor:
    if not pretrained.is_floating_point():
        return pretrained.clone()
    if pretrained.dtype in _HALF:
        return ((1.0 - weight) * pretrained.float() + weight * finetuned.float()).to(pretrained.dtype)
    return (1.0 - weight) * pretrained + weight * finetuned
