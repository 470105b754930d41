"""Manifests: which files a model or a set of images consists of, and whether they still are what they were."""

import json
from pathlib import Path
from typing import Any

from workflow_scripts.common.bundled import located, portable
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import sha256_of, write_json


def describe_files(folder: Path, names: list[str]) -> list[dict[str, Any]]:
    """Return name, size in bytes and sha256 of each file of a folder, sorted by name."""
    return [
        {"file": name, "bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
        for name in sorted(names)
    ]


def write_model_manifest(path: Path, *, folder: Path, names: list[str], origin: dict[str, Any]) -> None:
    """Declare a model: its files with sha256, the folder they lie in, and where they come from.

    The folder is stored relative to the manifest when the files lie below it, and relative to the Snakefile when they
    come along with nameonly, so that results and checkouts can be moved.
    """
    inside = folder.resolve().is_relative_to(path.parent.resolve())
    location = folder.resolve().relative_to(path.parent.resolve()) if inside else portable(str(folder.resolve()))
    write_json(path, {"folder": str(location), "files": describe_files(folder, names), "origin": origin})


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest.

    Raises:
        InputError: the file is missing or is not a manifest.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: missing; run snakemake to make it") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not a readable manifest ({error}); delete it and run snakemake again") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a manifest; delete it and run snakemake again")
    return content


def verified_model_folder(manifest: Path) -> Path:
    """Return the folder of a model after comparing every file with the manifest's sha256.

    Raises:
        InputError: a file is missing or has changed.
    """
    content = read_manifest(manifest)
    folder: Path = (manifest.parent / located(str(content["folder"]))).resolve()
    for entry in content["files"]:
        verify_file(folder / entry["file"], entry["sha256"], manifest)
    return folder


def verify_file(path: Path, sha256: str, manifest: Path) -> None:
    """Compare one file with the sha256 that its manifest states.

    Raises:
        InputError: the file is missing or has changed; the message says how to rebuild it.
    """
    if not path.is_file():
        raise InputError(f"{path}: missing, though {manifest} lists it; delete {manifest} and run snakemake again")
    if sha256_of(path) != sha256:
        raise InputError(
            f"{path}: damaged (its sha256 is not the one in {manifest}); delete it and run snakemake again"
        )
