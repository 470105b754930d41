"""The learning rate of pretraining: up for a share of the steps, then down to nothing."""

import torch
from torch.optim.lr_scheduler import OneCycleLR


def one_cycle(optimizer: torch.optim.Optimizer, *, peak: float, steps: int, warmup_fraction: float = 0.3) -> OneCycleLR:
    """Return torch's one-cycle schedule for any number of steps.

    torch divides by the length of the warm-up less one: it is at least two steps long here, of four at least in all.
    """
    total = max(4, steps)
    return OneCycleLR(optimizer, peak, total_steps=total, pct_start=min(0.5, max(warmup_fraction, 2.0 / total)))
