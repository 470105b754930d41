"""Write the manifest of one domain of generated images."""

import argparse
from pathlib import Path

from workflow_scripts.common.entry_point import entry_parser, run
from workflow_scripts.common.shards import write_image_manifest
from workflow_scripts.generation.settings import GeneratedManifestJob


def job(options: argparse.Namespace) -> None:
    """List the shards with rows and sha256."""
    settings = GeneratedManifestJob.parse(options.settings)
    write_image_manifest(options.output, options.shards, **settings.model_dump())


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="shards, in order")
    parser.add_argument("--output", type=Path, required=True, help="manifest to write")
    run(job, parser)


if __name__ == "__main__":
    main()
