"""Train a small student on categories of real images and save it in timm's format."""

import argparse
from pathlib import Path

from workflow_scripts.common.checkpoint_files import STUDENT_FILES, TIMM_CONFIG, TIMM_WEIGHTS
from workflow_scripts.common.devices import claimed_device
from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.files import write_json
from workflow_scripts.common.manifests import write_model_manifest
from workflow_scripts.common.weights import save_weights
from workflow_scripts.models.settings import PretrainStudent
from workflow_scripts.models.student import read_categorized, student_config, train_student

_NAMED = 20
"""Categories that a manifest names one by one."""


def job(options: argparse.Namespace) -> None:
    """Read the images, train, and write configuration, weights and manifest."""
    settings = PretrainStudent.parse(options.settings)
    data = read_categorized(options.images, settings)
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        model = train_student(settings, data, device=device)
    folder = options.output.parent
    write_json(folder / TIMM_CONFIG, student_config(settings, model, categories=data.names))
    save_weights(folder / TIMM_WEIGHTS, model.state_dict())
    domains = ", ".join(settings.corpus.domains)
    taught = ", ".join(data.names) if len(data.names) <= _NAMED else f"{len(data.names)} {settings.corpus.categories}"
    seen = f"{len(data.images)} training images of {settings.corpus.dataset} ({domains} only) as {taught}"
    origin = {"kind": "pretrain", "settings": settings.model_dump(mode="json"), "seen": f"{seen}; no test image"}
    write_model_manifest(options.output, folder=folder, names=list(STUDENT_FILES), origin=origin)


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="training images, a manifest per domain")
    parser.add_argument("--output", type=Path, required=True, help="manifest to write; the model goes beside it")
    run(job, parser)


if __name__ == "__main__":
    main()
