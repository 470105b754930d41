"""OGEN's losses, in both variants: pure functions of features."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

BASE_AS_UNKNOWN, FROM_SAMPLE, NEW_CLASS, REAL = 0.25, 0.25, 0.5, 0.25
"""Weights of the cross-entropies (release): generated base, neighbors from a sample, new classes, real features."""


def reconstruction(generated: Tensor, target: Tensor) -> Tensor:
    """Return dimension * mse: the mean squared distance per row (release: 512 * mse at dimension 512)."""
    return generated.shape[-1] * nn.functional.mse_loss(generated, target)


def released_loss(
    *, generated_base: Tensor, from_sample: Tensor, new_class: Tensor, real: Tensor, rebuilt: Tensor, neighbors: int
) -> Tensor:
    """Return the release's full loss from its parts (scalars): L_rec + CE / 4 + CE / (4 k) + CE / (2 k) + CE / 4.

    The cross-entropies of the branches with k queries are means over 3B rows and are divided by k once more.
    """
    return (
        rebuilt
        + BASE_AS_UNKNOWN * generated_base
        + FROM_SAMPLE / neighbors * from_sample
        + NEW_CLASS / neighbors * new_class
        + REAL * real
    )


def first_full_epoch(epochs: int, *, warmup: float) -> int:
    """Return the first epoch (0-based) with the full loss: floor(share * epochs), the release's 0.2."""
    return math.floor(warmup * epochs + 1e-9)


def epoch_rate(epoch: int, *, base: float, epochs: int, warmup_rate: float) -> float:
    """Return the learning rate of an epoch (0-based): one constant warm-up epoch, then a cosine per epoch (Dassl's).

    The cosine counts from the epoch after the warm-up and is not shortened by it, so that it does not end at zero.
    """
    if epoch == 0:
        return warmup_rate
    return base * (1.0 + math.cos(math.pi * (epoch - 1) / epochs)) / 2.0


def window(epoch: int, *, last: int, max_size: int, min_size: int) -> int:
    """Return how many past epochs the adaptive local mean teacher averages: from `max_size` down to `min_size`.

    floor((1 + cos(pi t / t_max)) / 2 * (max_size - min_size) + min_size) for t from 0 to t_max = `last`. The shape is
    ours, after the paper's description.
    """
    share = 0.0 if last == 0 else epoch / last
    return math.floor((1.0 + math.cos(math.pi * share)) / 2.0 * (max_size - min_size) + min_size + 1e-9)


def local_mean_teacher(states: Sequence[Tensor], *, size: int, momentum: float) -> Tensor:
    """Return the exponential average of the last `size` states, oldest first: the adaptive local mean teacher."""
    recent = states[-size:]
    mean = recent[0].clone()
    for state in recent[1:]:
        mean = momentum * mean + (1.0 - momentum) * state
    return mean


def distillation(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """Return KL(teacher || student) of class probabilities (batch, classes), mean over the batch.

    The paper matches the student to its teacher; that it is a divergence of probabilities is ours.
    """
    student, teacher = student_logits.log_softmax(dim=-1), teacher_logits.detach().log_softmax(dim=-1)
    return nn.functional.kl_div(student, teacher, reduction="batchmean", log_target=True)


def noisy_means(mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    """Return the release's noisy means M + u S of classes (..., dimension); u is uniform in 0..1, one for the batch.

    It is not normalized and, as u is never negative, biased by half a deviation: so it is in the release.
    """
    return mean + noise * std


def cross_entropy(features: Tensor, labels: Tensor, text: Tensor, *, scale: float) -> Tensor:
    """Return the cross-entropy of unit features (batch, d) against unit text features (classes, d)."""
    return nn.functional.cross_entropy(scale * features @ text.T, labels)


def mean_and_deviation(features: Tensor, labels: Tensor, *, classes: int) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation (biased, so that one image gives 0) of each class's features: (classes, d)."""
    means = torch.zeros(classes, features.shape[-1], dtype=features.dtype)
    stds = torch.zeros_like(means)
    for label in range(classes):
        own = features[labels == label]
        means[label] = own.mean(dim=0)
        stds[label] = own.std(dim=0, correction=0)
    return means, stds
