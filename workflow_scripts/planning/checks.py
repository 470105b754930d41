"""What no single setting can know: whether the configuration's keys fit each other. Checked before any job."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.settings import fault_lines
from workflow_scripts.ground.texts import one_line
from workflow_scripts.ground.vocabulary import HELD_OUT, MEAN, NO_SOURCE, REAL_TEST, REAL_TRAIN, ZERO_SHOT
from workflow_scripts.models.settings import EmbeddedTextToImage
from workflow_scripts.planning.configuration import Configuration, RunBlock, real_domains, run_source, source_domains
from workflow_scripts.planning.methods import WITHOUT, AnyMethod
from workflow_scripts.planning.plain import plain_faults
from workflow_scripts.training.ogen.settings import Ogen
from workflow_scripts.training.vl2v.settings import Vl2vAdip

RESERVED_SOURCES = (REAL_TRAIN, REAL_TEST, NO_SOURCE)
RESERVED_DOMAINS = (HELD_OUT, MEAN)
RESERVED_DATASETS = ("models", "report", "logs", "benchmarks")
"""Folders beside the data sets' own under results/."""


def validated(config: Mapping[str, Any]) -> Configuration:
    """Validate a configuration as Snakemake merged it.

    Raises:
        InputError: one line per fault: the key, what is wrong, and what was given.
    """
    if found := plain_faults(config):
        raise InputError("\n".join(one_line(fault) for fault in found))
    text = json.dumps(config, default=str)
    try:
        configuration = Configuration.model_validate_json(text)
    except ValidationError as error:
        raise InputError("\n".join(fault_lines(error, text))) from None
    faults = [
        *_name_faults(configuration),
        *_method_faults(configuration),
        *_run_faults(configuration),
        *_checkpoint_faults(configuration),
        *_alpha_faults(configuration),
    ]
    if faults:
        raise InputError("\n".join(dict.fromkeys(faults)))
    return configuration


def _name_faults(configuration: Configuration) -> list[str]:
    faults = [
        f"generators.{name}: this name is reserved" for name in configuration.generators if name in RESERVED_SOURCES
    ]
    faults += [
        f"datasets.{name}: this name is reserved" for name in configuration.datasets if name in RESERVED_DATASETS
    ]
    faults += [f"methods.{ZERO_SHOT}: this name is reserved" for name in configuration.methods if name == ZERO_SHOT]
    faults += [
        f"{kind}.{name}: another model has this name too; models share one folder"
        for kind, names, others in (
            ("generators", configuration.generators, configuration.clips),
            ("students", configuration.students, {**configuration.clips, **configuration.generators}),
        )
        for name in names
        if name in others
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


def _training_faults(configuration: Configuration, block: RunBlock, dataset: str, key: str) -> Iterator[str]:
    for source in block.sources:
        if source == REAL_TRAIN and block.methods and not source_domains(configuration, dataset, source):
            yield f"{key}.sources: dataset {dataset!r} has no real training images"
        for name in block.methods:
            method = configuration.methods.get(name)
            if method is None or (source != REAL_TRAIN and source not in configuration.generators):
                continue
            if source == REAL_TRAIN and method.train_on == "generated":
                yield f"methods.{name}.train_on: 'generated', but {key}.sources names {REAL_TRAIN}; set it to 'real'"
                continue
            domains = source_domains(configuration, dataset, run_source(method, source))
            if not domains:
                yield f"methods.{name}.train_on: 'real', but dataset {dataset!r} has no real training images"
                continue
            yield from _unknown(f"methods.{name}.styles", method.styles or (), domains)
            yield from _split_faults(configuration, name, method, dataset)
            if run_source(method, source) == REAL_TRAIN and not method.leave_one_domain_out:
                yield from _overlap_faults(configuration, name, dataset)
            if method.leave_one_domain_out:
                yield from _left_out_faults(configuration, name, method, dataset, method.styles or domains)


def _overlap_faults(configuration: Configuration, name: str, dataset: str) -> Iterator[str]:
    images = configuration.datasets[dataset].images
    if images.kind == "folder":
        for domain, folder in images.train.items():
            if folder in images.test.values():
                yield (
                    f"datasets.{dataset}.images.train.{domain}: {folder!r} is a test folder too, and methods.{name} "
                    "would be trained on test images; give it folders of its own or set leave_one_domain_out"
                )


def _split_faults(configuration: Configuration, name: str, method: AnyMethod, dataset: str) -> Iterator[str]:
    if method.train_classes == "base" and configuration.datasets[dataset].base_classes is None:
        yield f"methods.{name}.train_classes: 'base', but datasets.{dataset}.base_classes is not set (half, or names)"


def _left_out_faults(
    configuration: Configuration, name: str, method: AnyMethod, dataset: str, domains: tuple[str, ...]
) -> Iterator[str]:
    key = f"methods.{name}.leave_one_domain_out"
    targets = real_domains(configuration.datasets[dataset], REAL_TEST)
    if len(domains) < _FEWEST_DOMAINS:
        yield f"{key}: {domains[0]!r} is the only domain to train on; without it nothing is left"
    if not targets:
        yield f"{key}: dataset {dataset!r} has no real test images whose domain could be left out"
    missing = [target for target in targets if target not in domains]
    if missing:
        where = f"style of datasets.{dataset}.prompts" if method.train_on == "generated" else "real training images"
        yield f"{key}: the real domain {missing[0]!r} has no {where} of that name to leave out"


_FEWEST_DOMAINS = 2


def _method_faults(configuration: Configuration) -> Iterator[str]:
    for name, method in configuration.methods.items():
        if WITHOUT in name:
            yield f"methods.{name}: {WITHOUT!r} in a name is reserved for leave_one_domain_out"
        if method.shots is not None and method.train_on == "generated":
            yield f"methods.{name}.shots: only real images are taken as shots; set train_on to 'real'"
        if isinstance(method, Ogen) and method.variant != "none" and method.train_classes == "all":
            yield f"methods.{name}.train_classes: 'all', but variant {method.variant!r} needs new classes; set 'base'"
        if isinstance(method, Vl2vAdip):
            yield from _unknown(f"methods.{name}.student", (method.student,), tuple(configuration.students))


def _checkpoint_faults(configuration: Configuration) -> list[str]:
    faults = []
    for name, student in configuration.students.items():
        if student.kind == "embedded":
            seen, key = student.corpus, f"students.{name}.corpus"
            faults += _corpus_faults(configuration, key, seen.dataset, seen.domains, "domains")
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


def _corpus_faults(
    configuration: Configuration, key: str, dataset: str, domains: tuple[str, ...], part: str = "shares"
) -> list[str]:
    if dataset not in configuration.datasets:
        return _unknown(f"{key}.dataset", (dataset,), tuple(configuration.datasets))
    return _unknown(f"{key}.{part}", domains, real_domains(configuration.datasets[dataset], REAL_TRAIN))


def _alpha_faults(configuration: Configuration) -> list[str]:
    faults = []
    if len({float(alpha) for alpha in configuration.alphas}) < len(configuration.alphas):
        faults.append("alphas: a value occurs twice")
    if configuration.report.fixed_alpha not in configuration.alphas:
        faults.append(f"report.fixed_alpha: {configuration.report.fixed_alpha!r} is not one of alphas")
    return faults
