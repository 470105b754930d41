"""The device a job runs on, its threads, its precision, and what tells all three."""

import contextlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch
from filelock import FileLock, Timeout

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Precision

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_LIBRARIES = (
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
    """Set torch's threads and deterministic kernels, and yield a free CUDA GPU, or the CPU when there is none.

    With several visible GPUs, the first one whose lock file under `locks` is free is held until the block ends.

    Raises:
        InputError: every GPU is claimed by another job.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus <= 1:
        yield torch.device("cuda:0" if gpus else "cpu")
        return
    locks.mkdir(parents=True, exist_ok=True)
    for number in range(gpus):
        lock = FileLock(locks / f"gpu{number}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        with lock:
            yield torch.device(f"cuda:{number}")
            return
    raise InputError(f"all {gpus} GPUs are claimed: start snakemake with --resources gpu={gpus}")


def repeatable_backward(loss: torch.Tensor) -> None:
    """Run the backward pass of a loss so that a second run of it gives the same bits on the same device.

    As long as torch is only to warn (`claimed_device`), it takes faster kernels for the backward pass of attention on a
    GPU, which add up in any order.

    Raises:
        InputError: an operation has no other kernels.
    """
    mode = torch.get_deterministic_debug_mode()
    if mode:
        torch.set_deterministic_debug_mode("error")
    try:
        loss.backward()
    except RuntimeError as error:
        if _NOT_REPEATABLE not in str(error):
            raise
        operation = str(error).split(_NOT_REPEATABLE)[0]
        raise InputError(
            f"{operation}on a GPU does not repeat its results: train this network on the CPU (CUDA_VISIBLE_DEVICES=)"
        ) from None
    finally:
        torch.set_deterministic_debug_mode(mode)


_NOT_REPEATABLE = "does not have a deterministic implementation"
"""What torch says of an operation that it refuses."""


def autocast(device: torch.device, precision: Precision) -> contextlib.AbstractContextManager[Any]:
    """Return the autocast context of a precision; nothing is cast with `fp32`."""
    return torch.autocast(device.type, dtype=DTYPES[precision], enabled=precision != "fp32")


def fitting_precision(device: torch.device, wanted: Precision | Literal["auto"]) -> Precision:
    """Return the precision that a training runs in: with `auto` bf16 where the device multiplies it in hardware.

    On a CPU that is AMX; elsewhere bf16 is slower than fp32.
    """
    if wanted != "auto":
        return wanted
    fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu._is_amx_tile_supported()
    return "bf16" if fast else "fp32"


def environment_metadata(device: torch.device) -> dict[str, Any]:
    """Return device kind, thread count and library versions: what bit-identical results depend on. No host name."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {
        "device": name,
        "threads": torch.get_num_threads(),
        "libraries": {package: version(package) for package in _LIBRARIES},
    }
