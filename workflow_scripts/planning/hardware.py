"""What this machine has, found out without importing torch."""

from pathlib import Path

_CARD = Path("/dev/nvidia0")


def has_card() -> bool:
    """Return whether there is an NVIDIA card here."""
    return _CARD.exists()
