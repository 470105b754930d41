"""The learning rate of every step."""

import math


def warmup_steps(total_steps: int, *, warmup_fraction: float) -> int:
    """Return the number of warm-up steps, a fraction of all (the release fixes 500, which may be more than all)."""
    return round(total_steps * warmup_fraction)


def learning_rate(step: int, *, base: float, warmup: int, total: int) -> float:
    """Return the learning rate of a step (0-based): linear warm-up, then cosine to zero.

    base * (step + 1) / warmup in the first `warmup` steps; then base * (1 + cos(pi * t)) / 2 with
    t = (step - warmup) / (total - warmup), as in the release of RegFT.
    """
    if step < warmup:
        return base * (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return base * (1.0 + math.cos(math.pi * progress)) / 2.0
