"""Where models, images and runs come from, as their manifests and metadata say."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_scripts.common.entry_point import in_order
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import canonical_json
from workflow_scripts.common.manifests import read_manifest
from workflow_scripts.report.labels import source_title

_NOT_SHOWN = ("classes", "domain", "environment")
"""Parts of an image set's provenance that other places of the page show."""


@dataclass(frozen=True)
class Model:
    """One model: its name, where it comes from, and what it has seen."""

    name: str
    origin: str
    seen: str


@dataclass(frozen=True)
class ImageRow:
    """One set of images: what it is of and how many images it holds."""

    dataset: str
    source: str
    kind: str
    domain: str
    images: int
    per_class: int


@dataclass(frozen=True)
class Origin:
    """How the images of one source were made: short facts, and the rest as JSON."""

    title: str
    domains: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    rest: str


@dataclass(frozen=True)
class CreditRow:
    """A set of drawings, who made it, its licence (SPDX), and how many of its pictures are used, over all domains."""

    collection: str
    author: str
    license: str
    images: int


@dataclass(frozen=True)
class RunSettings:
    """The metadata of one run: its name, its settings and the whole of it as JSON."""

    name: str
    settings: str
    whole: str


@dataclass(frozen=True)
class Environment:
    """Device, threads and library versions, and everything that was computed with them."""

    device: str
    threads: str
    libraries: tuple[tuple[str, str], ...]
    used_by: tuple[str, ...]


def read_manifests(names: Sequence[str], paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Return the content of every manifest by its name.

    Raises:
        InputError: a manifest is missing or unreadable.
    """
    return {name: read_manifest(path) for name, path in in_order(names, paths, option="models")}


def models(manifests: Mapping[str, dict[str, Any]]) -> list[Model]:
    """Return the models of some manifests, with what each has seen as far as its manifest says."""
    return [
        Model(name, _origin(content["origin"]), content["origin"].get("seen") or _UNKNOWN)
        for name, content in manifests.items()
    ]


_UNKNOWN = "its manifest does not say; see the model's own documentation"


def _origin(origin: Mapping[str, Any]) -> str:
    if origin.get("kind") == "pretrain":
        return "trained by this workflow"
    if "repository" in origin:
        return f"{origin['repository']}, revision {origin.get('revision', 'unknown')}"
    return str(origin.get("path", "not stated"))


def image_rows(manifests: Mapping[str, dict[str, Any]]) -> list[ImageRow]:
    """Return one row per set of images."""
    return [
        ImageRow(
            dataset=content["dataset"],
            source=content["source"],
            kind=source_title(content["source"]),
            domain=content["domain"],
            images=content["images"],
            per_class=max(content["counts"]),
        )
        for content in manifests.values()
    ]


def credit_rows(manifests: Mapping[str, dict[str, Any]]) -> list[CreditRow]:
    """Return whose the pictures are, as far as somebody has to be named, by set."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for content in manifests.values():
        for entry in content.get("credits", ()):
            counts[entry["collection"], entry["author"], entry["license"]] += entry["images"]
    return [CreditRow(*credit, images) for credit, images in sorted(counts.items())]


def image_origins(manifests: Mapping[str, dict[str, Any]]) -> list[Origin]:
    """Return how the images were made, once for all domains of a source that were made alike."""
    domains: dict[tuple[str, str, str], list[str]] = {}
    made: dict[tuple[str, str, str], dict[str, Any]] = {}
    for content in manifests.values():
        shown = {key: value for key, value in content.get("provenance", {}).items() if key not in _NOT_SHOWN}
        key = (content["dataset"], content["source"], canonical_json(shown))
        domains.setdefault(key, []).append(content["domain"])
        made[key] = shown
    return [
        Origin(
            title=f"{key[0]}, {key[1]} ({source_title(key[1])})",
            domains=tuple(domains[key]),
            facts=tuple((name, _short(value)) for name, value in sorted(shown.items()) if _is_short(value)),
            rest=pretty({name: value for name, value in shown.items() if not _is_short(value)}),
        )
        for key, shown in made.items()
    ]


def _is_short(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def read_run_metadata(names: Sequence[str], paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Return the metadata of every run by the run's name.

    Raises:
        InputError: a file is missing or is not a JSON object.
    """
    return {name: _read_metadata(path) for name, path in in_order(names, paths, option="metadata")}


def _read_metadata(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable metadata ({error}); delete it and run snakemake again") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: not the metadata of a run; delete it and run snakemake again")
    return content


def run_settings(metadata: Mapping[str, dict[str, Any]]) -> list[RunSettings]:
    """Return every run's settings, and all its metadata, as readable JSON."""
    return [
        RunSettings(name, pretty(content.get("settings", {})), pretty(content)) for name, content in metadata.items()
    ]


def environments(metadata: Mapping[str, dict[str, Any]], manifests: Mapping[str, dict[str, Any]]) -> list[Environment]:
    """Return the distinct environments of runs and generated images, each with what was computed in it."""
    environment_of: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for name, content in [*metadata.items(), *_made_images(manifests)]:
        environment = content.get("environment")
        if isinstance(environment, dict):
            environment_of.setdefault(canonical_json(environment), (environment, []))[1].append(name)
    return [
        Environment(
            device=str(environment.get("device", "not recorded")),
            threads=str(environment.get("threads", "not recorded")),
            libraries=tuple((name, str(version)) for name, version in environment.get("libraries", {}).items()),
            used_by=tuple(names),
        )
        for environment, names in environment_of.values()
    ]


def _made_images(manifests: Mapping[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"images of {content['dataset']}, {content['source']}, {content['domain']}", content.get("provenance", {}))
        for content in manifests.values()
    ]


def pretty(value: Any) -> str:
    """Return readable JSON."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)
