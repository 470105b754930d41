"""How diverse features are. These definitions are ours: the paper's D_Mag and D_Dir are not published as formulas."""

import torch
from torch import Tensor

from workflow_scripts.training.losses import covariance_matrix


@torch.no_grad()
def feature_diversity(features: Tensor) -> dict[str, float]:
    """Return two measures of a batch of un-normalized features (batch, dimension).

    `feature_std` is the mean over dimensions of the standard deviation (what the variance term lifts);
    `feature_direction` is 1 - mean |off-diagonal correlation| (what the covariance term lifts).
    """
    covariance = covariance_matrix(features)
    deviations = covariance.diagonal().clamp_min(1e-12).sqrt()
    correlation = covariance / torch.outer(deviations, deviations)
    dimension = len(covariance)
    off_diagonal = correlation.abs().sum() - correlation.diagonal().abs().sum()
    return {
        "feature_std": float(deviations.mean()),
        "feature_direction": float(1.0 - off_diagonal / max(1, dimension * (dimension - 1))),
    }
