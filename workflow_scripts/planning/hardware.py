"""What this machine has, found out without importing torch."""

from pathlib import Path

_GPU_DEVICE = Path("/dev/nvidia0")


def has_gpu() -> bool:
    """Return whether there is an NVIDIA GPU here."""
    return _GPU_DEVICE.exists()
