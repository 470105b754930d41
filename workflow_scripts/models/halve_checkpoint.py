"""Copy a checkpoint with its weights in half precision: what `make icon-models` puts into `assets/`.

Whoever loads it in single precision gets the rounded weights: 2 bytes of each in place of 4.
"""

import argparse
import logging
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import replacing, write_json
from workflow_scripts.common.manifests import read_manifest, verified_model_folder
from workflow_scripts.models.origin import ORIGIN

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Copy every file that the manifest lists, weights halved, and say where they come from."""
    folder = verified_model_folder(options.manifest)
    content = read_manifest(options.manifest)
    for entry in content["files"]:
        source, target = folder / entry["file"], options.output / entry["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".safetensors":
            halve(source, target)
        else:
            shutil.copyfile(source, target)
        logger.info("%s: %d bytes in place of %d", target, target.stat().st_size, entry["bytes"])
    write_json(options.output / ORIGIN, {**content["origin"], "full_precision": content["files"]})


def halve(source: Path, target: Path) -> None:
    """Copy a safetensors file with its single-precision tensors in half precision.

    Raises:
        InputError: a weight does not fit half precision.
    """
    with safe_open(source, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    halved = {name: tensor.half() if tensor.dtype == torch.float32 else tensor for name, tensor in tensors.items()}
    for name, tensor in halved.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise InputError(f"{source}: {name} has values that half precision cannot hold")
    with replacing(target) as temporary:
        save_file(halved, temporary, metadata=metadata)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="folder that receives it")
    run(job, parser)


if __name__ == "__main__":
    main()
