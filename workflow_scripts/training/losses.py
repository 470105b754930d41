"""The losses of RegFT (arXiv 2406.05432): pure functions of un-normalized features."""

import torch
from torch import Tensor

VARIANCE_EPSILON = 1e-7
"""Added to a variance before its root (the release's value)."""
HINGE_TARGET = 1.0
"""Standard deviation above which the variance term is silent (the release's value)."""


def covariance_matrix(features: Tensor) -> Tensor:
    """Return the unbiased covariance of features over the whole batch, classes mixed.

    Args:
        features: un-normalized features of shape (batch, dimension).

    Returns:
        A matrix of shape (dimension, dimension), in float32 or wider.

    Raises:
        ValueError: the features are not a matrix, or the batch has fewer than two rows.
    """
    if features.ndim != 2:
        raise ValueError(f"features have shape {tuple(features.shape)}, not (batch, dimension)")
    if len(features) < 2:
        raise ValueError("a covariance needs a batch of at least 2 images")
    wide = features if features.dtype == torch.float64 else features.float()
    centered = wide - wide.mean(dim=0, keepdim=True)
    return centered.T @ centered / (len(features) - 1)


def variance_term(covariance: Tensor) -> Tensor:
    """Return mean_j max(0, 1 - sqrt(S_jj + 1e-7)): how far the dimensions' deviations fall short of one."""
    deviations = torch.sqrt(covariance.diagonal() + VARIANCE_EPSILON)
    return torch.relu(HINGE_TARGET - deviations).mean()


def covariance_term(covariance: Tensor) -> Tensor:
    """Return the mean of the squared off-diagonal entries: sum_{i != j} S_ij^2 / (d (d - 1)).

    VICReg divides by d only, so its term is d - 1 times larger. One dimension has nothing off its diagonal: 0.
    """
    dimension = len(covariance)
    off_diagonal = covariance - torch.diag(covariance.diagonal())
    return off_diagonal.square().sum() / max(1, dimension * (dimension - 1))


def variance_covariance(features: Tensor, *, variance_weight: float, covariance_weight: float) -> Tensor:
    """Return RegFT's regularizer, a * L_V + b * L_C (paper and release: a = 0.16, b = 0.02).

    Args:
        features: un-normalized features of shape (batch, dimension); normalized ones make the hinge nearly constant.
        variance_weight: a.
        covariance_weight: b.

    Returns:
        A scalar in float32 or wider.

    Raises:
        ValueError: the features are not a matrix of at least two rows.
    """
    covariance = covariance_matrix(features)
    return variance_weight * variance_term(covariance) + covariance_weight * covariance_term(covariance)
