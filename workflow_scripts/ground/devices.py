"""The device a job runs on, its threads, its precision, and the record of all three."""

import contextlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.settings import Precision

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_RECORDED = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "diffusers",
    "transformers",
    "timm",
    "numpy",
    "pyarrow",
    "pillow",
)


@contextlib.contextmanager
def claimed_device(*, threads: int, locks: Path) -> Iterator[torch.device]:
    """Set torch's threads and deterministic kernels, and yield a free CUDA card, or the CPU when there is none.

    With several visible cards, the first one whose lock file under `locks` is free is held until the block ends.

    Raises:
        InputError: every card is claimed by another job.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if cards <= 1:
        yield torch.device("cuda:0" if cards else "cpu")
        return
    locks.mkdir(parents=True, exist_ok=True)
    for number in range(cards):
        lock = FileLock(locks / f"gpu{number}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        with lock:
            yield torch.device(f"cuda:{number}")
            return
    raise InputError(f"all {cards} graphics cards are claimed: start snakemake with --resources gpu={cards}")


def autocast(device: torch.device, precision: Precision) -> contextlib.AbstractContextManager[Any]:
    """Return the autocast context of a precision; nothing is cast with `fp32`."""
    return torch.autocast(device.type, dtype=DTYPES[precision], enabled=precision != "fp32")


def environment_record(device: torch.device) -> dict[str, Any]:
    """Return device kind, thread count and library versions: what bit-identical results depend on. No host name."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {
        "device": name,
        "threads": torch.get_num_threads(),
        "libraries": {package: version(package) for package in _RECORDED},
    }
