"""Weight-space averaging: (1 - alpha) theta_pretrained + alpha theta_finetuned (WiSE-FT, RegFT's WSE)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.weights import StateDict, check_same_tensors

_HALF = (torch.float16, torch.bfloat16)


def interpolate(pretrained: Mapping[str, Tensor], finetuned: Mapping[str, Tensor], alpha: float | str) -> StateDict:
    """Return the state dict between two ends.

    Args:
        pretrained: the end at alpha 0.
        finetuned: the end at alpha 1, with the same names and shapes.
        alpha: weight of the fine-tuned end, between 0 and 1.

    Returns:
        New tensors. Alpha 0 and 1 return copies of the very ends, bit for bit. Half-precision tensors are averaged in
        float32 and returned in their own type. Buffers that are not floating point (counters) are never averaged:
        they are the pre-trained end's, and at alpha 1 the fine-tuned end's.

    Raises:
        InputError: alpha lies outside 0..1, or tensors are missing, extra or of another shape; they are named.
    """
    weight = float(alpha)
    if not 0.0 <= weight <= 1.0:
        raise InputError(f"alpha {alpha} lies outside 0..1")
    check_same_tensors(dict(pretrained), dict(finetuned), what="fine-tuned end")
    if weight in (0.0, 1.0):
        return {name: tensor.clone() for name, tensor in (finetuned if weight else pretrained).items()}
    return {name: _between(tensor, finetuned[name], weight) for name, tensor in pretrained.items()}


def _between(start: Tensor, end: Tensor, weight: float) -> Tensor:
    if not start.is_floating_point():
        return start.clone()
    if start.dtype in _HALF:
        return ((1.0 - weight) * start.float() + weight * end.float()).to(start.dtype)
    return (1.0 - weight) * start + weight * end
