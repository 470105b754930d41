"""The whole configuration: every stage's settings composed, validated before any job, and exported as a schema."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from workflow_scripts.evaluation.settings import HELD_OUT, MEAN, Evaluation
from workflow_scripts.generation.settings import Drawing
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.settings import Alpha, Count, Name, Seed, Settings, Text, fault_lines
from workflow_scripts.ground.texts import one_line
from workflow_scripts.models.settings import ClipCheckpoint, EmbeddedTextToImage, TextToImageCheckpoint
from workflow_scripts.planning.plain import plain_faults
from workflow_scripts.prompts.settings import Prompts
from workflow_scripts.real_images.settings import RealImages
from workflow_scripts.report.settings import Report
from workflow_scripts.training.finetune_settings import Finetune

REAL_TRAIN = "real-train"
REAL_TEST = "real-test"
ZERO_SHOT = "zero-shot"
NO_SOURCE = "none"
"""Source of what is trained on no image: the zero-shot head."""

RESERVED_SOURCES = (REAL_TRAIN, REAL_TEST, NO_SOURCE)
RESERVED_DOMAINS = (HELD_OUT, MEAN)
RESERVED_DATASETS = ("models", "report", "logs", "benchmarks")
"""Folders beside the data sets' own under results/."""


class Dataset(Settings):
    """One task: class names, what is said about them, and real images to measure on, if any."""

    classes: tuple[str, ...] | None = None
    """Class names in label order; if null, the data set's own or the names of its class folders."""
    classes_file: Text | None = None
    """File of class names, one per line or a JSON list; in place of `classes`."""
    images: RealImages
    prompts: Prompts


class Generator(Drawing):
    """A text-to-image checkpoint and how it draws."""

    checkpoint: TextToImageCheckpoint
    images_per_class: Count = 64
    """Images of each class in each style."""
    images_per_shard: Count = 1000
    """Images of all classes in one file, which is one job: 500 to 2,000 on a cluster."""


class RunBlock(Settings):
    """Every combination of what is listed is trained, averaged and evaluated."""

    datasets: Annotated[tuple[Name, ...], Field(min_length=1)]
    sources: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Images to train on: names of generators, or real-train."""
    clips: Annotated[tuple[Name, ...], Field(min_length=1)]
    methods: tuple[Name, ...]
    """Names of methods; zero-shot always stands beside them."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)


class Threads(Settings):
    """CPU threads of each kind of job. Another number may change the last bits of results and reruns nothing."""

    models: Count = 1
    text_to_image: Count = 2
    generation: Count = 1
    training: Count = 1
    evaluation: Count = 1


class Configuration(Settings):
    """Everything that `config.yaml` and its overlays may say."""

    datasets: dict[Name, Dataset]
    clips: dict[Name, ClipCheckpoint]
    generators: dict[Name, Generator] = Field(default={})
    methods: dict[Name, Finetune] = Field(default={})
    alphas: Annotated[tuple[Alpha, ...], Field(min_length=1, max_length=101)]
    """Weights of the trained end that are evaluated, as texts: "0.00" is zero-shot, "1.00" fine-tuned."""
    exports: tuple[Alpha, ...] = ()
    """Alphas whose averaged model is written for plain open_clip."""
    runs: Annotated[tuple[RunBlock, ...], Field(min_length=1)]
    evaluation: Evaluation = Evaluation()
    report: Report
    threads: Threads = Threads()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = [*_name_faults(self), *_run_faults(self), *_checkpoint_faults(self), *_alpha_faults(self)]
        if faults:
            raise ValueError("\n".join(faults))
        return self


def _name_faults(configuration: Configuration) -> list[str]:
    faults = [
        f"generators.{name}: this name is reserved" for name in configuration.generators if name in RESERVED_SOURCES
    ]
    faults += [
        f"datasets.{name}: this name is reserved" for name in configuration.datasets if name in RESERVED_DATASETS
    ]
    faults += [f"methods.{ZERO_SHOT}: this name is reserved" for name in configuration.methods if name == ZERO_SHOT]
    faults += [
        f"generators.{name}: a clip has this name too; models share one folder"
        for name in configuration.generators
        if name in configuration.clips
    ]
    for name, dataset in configuration.datasets.items():
        if dataset.classes is not None and dataset.classes_file is not None:
            faults.append(f"datasets.{name}: give classes or classes_file, not both")
        if dataset.images.kind == "none" and dataset.classes is None and dataset.classes_file is None:
            faults.append(f"datasets.{name}: without images it needs classes or classes_file")
        faults += [
            f"datasets.{name}: the domain name {domain!r} is reserved"
            for domain in (
                *real_domains(dataset, REAL_TEST),
                *real_domains(dataset, REAL_TRAIN),
                *dataset.prompts.styles,
            )
            if domain in RESERVED_DOMAINS
        ]
    return faults


def _unknown(key: str, names: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    allowed = ", ".join(known) or "none is defined"
    return [f"{key}: {name!r} is not defined (known: {allowed})" for name in names if name not in known]


def _run_faults(configuration: Configuration) -> list[str]:
    faults = []
    for number, block in enumerate(configuration.runs):
        key = f"runs.{number}"
        faults += _unknown(f"{key}.datasets", block.datasets, tuple(configuration.datasets))
        faults += _unknown(f"{key}.sources", block.sources, (*configuration.generators, REAL_TRAIN))
        faults += _unknown(f"{key}.clips", block.clips, tuple(configuration.clips))
        faults += _unknown(f"{key}.methods", block.methods, tuple(configuration.methods))
        for name in block.datasets:
            if name in configuration.datasets:
                faults += _training_faults(configuration, block, name, key)
    return faults


def _training_faults(configuration: Configuration, block: RunBlock, dataset: str, key: str) -> list[str]:
    faults = []
    for source in block.sources:
        domains = source_domains(configuration, dataset, source)
        if source == REAL_TRAIN and block.methods and not domains:
            faults.append(f"{key}.sources: dataset {dataset!r} has no real training images")
        for method in block.methods:
            styles = getattr(configuration.methods.get(method), "styles", None) or ()
            faults += _unknown(f"methods.{method}.styles", styles, domains)
    return faults


def _checkpoint_faults(configuration: Configuration) -> list[str]:
    faults = []
    for name, clip in configuration.clips.items():
        if clip.kind == "embedded":
            faults += _corpus_faults(
                configuration, f"clips.{name}.corpus", clip.corpus.dataset, tuple(clip.corpus.shares)
            )
    for name, generator in configuration.generators.items():
        checkpoint = generator.checkpoint
        key = f"generators.{name}.checkpoint"
        if checkpoint.kind == "shared":
            owners = tuple(n for n, g in configuration.generators.items() if g.checkpoint.kind != "shared")
            faults += _unknown(f"{key}.generator", (checkpoint.generator,), owners)
        if isinstance(checkpoint, EmbeddedTextToImage):
            corpus = checkpoint.corpus
            faults += _corpus_faults(configuration, f"{key}.corpus", corpus.dataset, tuple(corpus.shares))
            embedded = tuple(n for n, clip in configuration.clips.items() if clip.kind == "embedded")
            faults += _unknown(f"{key}.clip", (checkpoint.clip,), embedded)
    return faults


def _corpus_faults(configuration: Configuration, key: str, dataset: str, domains: tuple[str, ...]) -> list[str]:
    if dataset not in configuration.datasets:
        return _unknown(f"{key}.dataset", (dataset,), tuple(configuration.datasets))
    return _unknown(f"{key}.shares", domains, real_domains(configuration.datasets[dataset], REAL_TRAIN))


def _alpha_faults(configuration: Configuration) -> list[str]:
    faults = []
    if len({float(alpha) for alpha in configuration.alphas}) < len(configuration.alphas):
        faults.append("alphas: a value occurs twice")
    if configuration.report.fixed_alpha not in configuration.alphas:
        faults.append(f"report.fixed_alpha: {configuration.report.fixed_alpha!r} is not one of alphas")
    return faults


def real_domains(dataset: Dataset, split: str) -> tuple[str, ...]:
    """Return the domains of a data set's real training or test images."""
    images = dataset.images
    if images.kind == "none":
        return ()
    if images.kind == "folder":
        return tuple(images.train if split == REAL_TRAIN else images.test)
    return images.domains


def source_domains(configuration: Configuration, dataset: str, source: str) -> tuple[str, ...]:
    """Return the styles of a generator's images, or the domains of real training images."""
    found = configuration.datasets[dataset]
    return real_domains(found, REAL_TRAIN) if source == REAL_TRAIN else tuple(found.prompts.styles)


def validated(config: Mapping[str, Any]) -> Configuration:
    """Validate a configuration as Snakemake merged it.

    Raises:
        InputError: one line per fault: the key, what is wrong, and what was given.
    """
    if faults := plain_faults(config):
        raise InputError("\n".join(one_line(fault) for fault in faults))
    try:
        return Configuration.model_validate_json(json.dumps(config, default=str))
    except ValidationError as error:
        raise InputError("\n".join(fault_lines(error))) from None


def schema() -> dict[str, Any]:
    """Return the JSON schema of the configuration, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Configuration.model_json_schema()}


def write_schema(path: Path) -> None:
    """Write the JSON schema; a test keeps the committed file equal to it."""
    path.write_text(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
