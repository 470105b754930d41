"""What no single setting can know: whether the configuration's keys fit each other. Checked before any job."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from workflow_scripts.common.constants import HELD_OUT, MEAN, NO_SOURCE, REAL_TEST, REAL_TRAIN, WITHOUT, ZERO_SHOT
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import error_lines, is_alpha
from workflow_scripts.common.texts import one_line
from workflow_scripts.models.settings import AnyCorpus, PreparedCorpus, PretrainTextToImage
from workflow_scripts.planning.configuration import (
    Configuration,
    RunBlock,
    domains_of_source,
    named_heads,
    real_domains,
    sources_of,
    trained_methods,
)
from workflow_scripts.planning.layout import RESERVED_NAMES
from workflow_scripts.planning.plain_values import plain_value_errors
from workflow_scripts.real_images.kind import PreparedImages
from workflow_scripts.selection.pickers.registry import named_picker
from workflow_scripts.training.method_settings import Method

RESERVED_SOURCES = (REAL_TRAIN, REAL_TEST, NO_SOURCE)
RESERVED_DOMAINS = (HELD_OUT, MEAN)


def validated_configuration(config: Mapping[str, Any]) -> Configuration:
    """Validate a configuration's keys, values, and whether they fit each other.

    Raises:
        InputError: one line per error: the key, what is wrong, and what was given.
    """
    configuration = parsed_configuration(config)
    if errors := configuration_errors(configuration):
        raise InputError("\n".join(errors))
    return configuration


def parsed_configuration(config: Mapping[str, Any]) -> Configuration:
    """Validate a configuration's keys and values, each by itself.

    Raises:
        InputError: one line per error: the key, what is wrong, and what was given.
    """
    if errors := plain_value_errors(config):
        raise InputError("\n".join(one_line(error) for error in errors))
    text = json.dumps(config, default=str)
    try:
        return Configuration.model_validate_json(text)
    except ValidationError as error:
        raise InputError("\n".join(dict.fromkeys(error_lines(error, text)))) from None


def configuration_errors(configuration: Configuration) -> list[str]:
    """Return a line for each key that does not fit another one."""
    errors = [
        *_name_errors(configuration),
        *_method_errors(configuration),
        *_run_errors(configuration),
        *_checkpoint_errors(configuration),
        *_alpha_errors(configuration),
    ]
    return list(dict.fromkeys(errors))


def _name_errors(configuration: Configuration) -> list[str]:
    errors = [
        f"generators.{name}: this name is reserved" for name in configuration.generators if name in RESERVED_SOURCES
    ]
    if configuration.name in RESERVED_NAMES:
        errors.append(f"name: {configuration.name!r} is reserved")
    errors += [
        f"methods.{name}: this name is reserved"
        for name in configuration.methods
        if name == ZERO_SHOT or name.startswith(f"{ZERO_SHOT}.")
    ]
    errors += [
        f"{kind}.{name}: another model has this name too; models share one folder"
        for kind, names, others in (
            ("generators", configuration.generators, configuration.clips),
            ("students", configuration.students, {**configuration.clips, **configuration.generators}),
        )
        for name in names
        if name in others
    ]
    for name, dataset in configuration.datasets.items():
        errors += [
            f"datasets.{name}.prompts.heads.{head}: {WITHOUT!r} in a name is reserved for leave_one_domain_out"
            for head in dataset.prompts.heads
            if WITHOUT in head
        ]
        if dataset.classes is not None and dataset.classes_file is not None:
            errors.append(f"datasets.{name}: give classes or classes_file, not both")
        given = dataset.classes is not None or dataset.classes_file is not None
        if not given and dataset.images.class_names() is None:
            errors.append(f"datasets.{name}: its images name no classes; give classes or classes_file")
        if dataset.judge is not None:
            errors += _unknown(f"datasets.{name}.judge", (dataset.judge,), tuple(configuration.students))
        errors += [
            f"datasets.{name}: the domain name {domain!r} is reserved"
            for domain in (
                *real_domains(dataset, REAL_TEST),
                *real_domains(dataset, REAL_TRAIN),
                *dataset.prompts.domains,
            )
            if domain in RESERVED_DOMAINS
        ]
    return errors


def _unknown(key: str, names: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    allowed = ", ".join(known) or "none is defined"
    return [f"{key}: {name!r} is not defined (known: {allowed})" for name in names if name not in known]


def _run_errors(configuration: Configuration) -> list[str]:
    errors = []
    for number, block in enumerate(configuration.runs):
        key = f"runs.{number}"
        errors += _unknown(f"{key}.datasets", block.datasets, tuple(configuration.datasets))
        errors += _unknown(f"{key}.sources", block.sources, (*configuration.generators, REAL_TRAIN))
        errors += _unknown(f"{key}.clips", block.clips, tuple(configuration.clips))
        errors += _unknown(f"{key}.methods", trained_methods(block), tuple(configuration.methods))
        if trained_methods(block) and not block.sources:
            errors.append(f"{key}.sources: methods are trained, but on nothing; name a generator or {REAL_TRAIN}")
        for name in block.datasets:
            if name in configuration.datasets:
                heads = tuple(configuration.datasets[name].prompts.heads)
                errors += _unknown(f"{key}.methods: {ZERO_SHOT} on {name}", named_heads(block), heads)
                errors += _training_errors(configuration, block, name, key)
    return errors


def _training_errors(configuration: Configuration, block: RunBlock, dataset: str, key: str) -> Iterator[str]:
    for source in block.sources:
        if source == REAL_TRAIN and trained_methods(block) and not domains_of_source(configuration, dataset, source):
            yield f"{key}.sources: dataset {dataset!r} has no real training images"
        for name in trained_methods(block):
            method = configuration.methods.get(name)
            if method is None or (source != REAL_TRAIN and source not in configuration.generators):
                continue
            trained_on = f"methods.{name}.train_on: {method.train_on!r}"
            if source == REAL_TRAIN and method.train_on != "real":
                yield f"{trained_on}, but {key}.sources names {REAL_TRAIN}; set it to 'real'"
                continue
            domains_of = {each: domains_of_source(configuration, dataset, each) for each in sources_of(method, source)}
            if not all(domains_of.values()):
                yield f"{trained_on}, but dataset {dataset!r} has no real training images"
                continue
            known = tuple(dict.fromkeys(domain for domains in domains_of.values() for domain in domains))
            yield from _unknown(f"methods.{name}.domains", method.domains or (), known)
            yield from _base_class_errors(configuration, name, method, dataset)
            yield from _head_errors(configuration, name, method, dataset)
            if method.sees_real_images and not method.leave_one_domain_out:
                yield from _overlap_errors(configuration, name, dataset)
            if method.leave_one_domain_out:
                for each, domains in domains_of.items():
                    yield from _left_out_errors(configuration, name, dataset, each, method.domains or domains)


def _head_errors(configuration: Configuration, name: str, method: Method, dataset: str) -> Iterator[str]:
    if method.head is None:
        return
    if "zero-shot-head" not in method.inputs:
        yield f"methods.{name}.head: this kind of method starts from no zero-shot head; leave it out"
    else:
        heads = configuration.datasets[dataset].prompts.heads
        yield from _unknown(f"methods.{name}.head", (method.head,), tuple(heads))


def _overlap_errors(configuration: Configuration, name: str, dataset: str) -> Iterator[str]:
    for key, error in configuration.datasets[dataset].images.leaks():
        yield (
            f"datasets.{dataset}.images.{key}: {error}, and methods.{name} would be trained on test images; give it "
            "folders of its own or set leave_one_domain_out"
        )


def _base_class_errors(configuration: Configuration, name: str, method: Method, dataset: str) -> Iterator[str]:
    if method.train_classes == "base" and configuration.datasets[dataset].base_classes is None:
        yield f"methods.{name}.train_classes: 'base', but datasets.{dataset}.base_classes is not set (half, or names)"


def _left_out_errors(
    configuration: Configuration, name: str, dataset: str, source: str, domains: tuple[str, ...]
) -> Iterator[str]:
    key = f"methods.{name}.leave_one_domain_out"
    targets = real_domains(configuration.datasets[dataset], REAL_TEST)
    if len(domains) < _MIN_DOMAINS:
        yield f"{key}: {domains[0]!r} is the only domain to train on; without it nothing is left"
    if not targets:
        yield f"{key}: dataset {dataset!r} has no real test images whose domain could be left out"
    missing = [target for target in targets if target not in domains]
    if missing:
        where = f"domain in datasets.{dataset}.prompts" if source != REAL_TRAIN else "real training images"
        yield f"{key}: the real domain {missing[0]!r} has no {where} of that name to leave out"


_MIN_DOMAINS = 2


def _method_errors(configuration: Configuration) -> Iterator[str]:
    for name, method in configuration.methods.items():
        if WITHOUT in name:
            yield f"methods.{name}: {WITHOUT!r} in a name is reserved for leave_one_domain_out"
        if method.shots is not None and not method.sees_real_images:
            yield f"methods.{name}.shots: only real images are taken as shots; set train_on to 'real' or 'mixed'"
        if not method.has_training_log and method.averaging.kind != "none":
            yield f"methods.{name}.averaging: this kind is not trained step by step; leave it out"
        yield from (f"methods.{name}.{key}: {error}" for key, error in method.errors())
        if (student := method.student_name()) is not None:
            yield from _unknown(f"methods.{name}.student", (student,), tuple(configuration.students))
        yield from _other_run_errors(configuration, name)


def _other_run_errors(configuration: Configuration, name: str) -> Iterator[str]:
    """Yield whether a method builds on one that is not defined, or through others on itself."""
    names = [name]
    while (other := configuration.methods[names[-1]].other_runs()) is not None:
        if other.method not in configuration.methods:
            yield from _unknown(f"methods.{names[-1]}", (other.method,), tuple(configuration.methods))
            return
        if other.method in names:
            yield f"methods.{name}: builds on itself: {' -> '.join([*names, other.method])}"
            return
        names.append(other.method)


def _checkpoint_errors(configuration: Configuration) -> list[str]:
    errors = []
    for name, student in configuration.students.items():
        if student.kind == "pretrain":
            seen, key = student.corpus, f"students.{name}.corpus"
            errors += _corpus_errors(configuration, key, seen.dataset, seen.domains, "domains")
    for name, clip in configuration.clips.items():
        if clip.kind == "pretrain":
            errors += _captioned_corpus_errors(configuration, f"clips.{name}.corpus", clip.corpus)
    for name, generator in configuration.generators.items():
        checkpoint = generator.checkpoint
        key = f"generators.{name}.checkpoint"
        if checkpoint.kind == "shared":
            owners = tuple(n for n, g in configuration.generators.items() if g.checkpoint.kind != "shared")
            errors += _unknown(f"{key}.generator", (checkpoint.generator,), owners)
        if isinstance(checkpoint, PretrainTextToImage):
            errors += _captioned_corpus_errors(configuration, f"{key}.corpus", checkpoint.corpus)
            pretrained = tuple(n for n, clip in configuration.clips.items() if clip.kind == "pretrain")
            errors += _unknown(f"{key}.clip", (checkpoint.clip,), pretrained)
    return errors


def _captioned_corpus_errors(configuration: Configuration, key: str, corpus: AnyCorpus) -> list[str]:
    if not isinstance(corpus, PreparedCorpus):
        return _corpus_errors(configuration, key, corpus.dataset, tuple(corpus.mixture_weights))
    if corpus.dataset not in configuration.datasets:
        return _unknown(f"{key}.dataset", (corpus.dataset,), tuple(configuration.datasets))
    images = configuration.datasets[corpus.dataset].images
    if not isinstance(images, PreparedImages):
        return [f"{key}.kind: 'prepared', but the pictures of dataset {corpus.dataset!r} are not; use kind 'images'"]
    return _unknown(f"{key}.captions", tuple(corpus.captions), images.prepared_domains())


def _corpus_errors(
    configuration: Configuration,
    key: str,
    dataset: str,
    domains: tuple[str, ...],
    key_of_domains: str = "mixture_weights",
) -> list[str]:
    if dataset not in configuration.datasets:
        return _unknown(f"{key}.dataset", (dataset,), tuple(configuration.datasets))
    return _unknown(f"{key}.{key_of_domains}", domains, real_domains(configuration.datasets[dataset], REAL_TRAIN))


def _alpha_errors(configuration: Configuration) -> Iterator[str]:
    if len({float(alpha) for alpha in configuration.alphas}) < len(configuration.alphas):
        yield "alphas: a value occurs twice"
    yield from _picker_errors(configuration)
    yield from _export_errors(configuration)


def _picker_errors(configuration: Configuration) -> Iterator[str]:
    default = "" if "pickers" in configuration.model_fields_set else "; these are the default pickers, name your own"
    for name, picker in configuration.pickers.items():
        if _is_number(name):
            yield f"pickers.{name}: a number is no name of a picker: exports name alphas, too"
        yield from (f"pickers.{name}.{key}: {error}{default}" for key, error in picker.errors(configuration.alphas))
        try:
            named_picker(name, picker)
        except InputError as error:
            yield f"pickers.{name}: {error}"
    first, picker = next(iter(configuration.pickers.items()))
    if "test-labels" in picker.looks_at:
        yield f"pickers.{first}: the summary shows the first, and an oracle is no result; name another before it"
    for dataset in _without_test_images(configuration) if "test-images" in picker.looks_at else ():
        yield f"pickers.{first}: the first looks at real test images, and dataset {dataset!r} has none"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _without_test_images(configuration: Configuration) -> list[str]:
    """Return the data sets that runs name and that have no real test images."""
    named = dict.fromkeys(name for block in configuration.runs for name in block.datasets)
    datasets = configuration.datasets
    return [name for name in named if name in datasets and not real_domains(datasets[name], REAL_TEST)]


def _export_errors(configuration: Configuration) -> Iterator[str]:
    alphas = [name for name in configuration.exports if is_alpha(name)]
    pickers = [name for name in configuration.exports if not is_alpha(name)]
    if len({float(alpha) for alpha in alphas}) < len(alphas) or len(set(pickers)) < len(pickers):
        yield "exports: a value occurs twice"
    yield from (f"exports: an alpha lies between 0 and 1 (given: {alpha!r})" for alpha in alphas if float(alpha) > 1.0)
    known = ", ".join(configuration.pickers)
    for name in pickers:
        if name not in configuration.pickers:
            yield f'exports: {name!r} is neither an alpha, written as in "0.50", nor a picker (known: {known})'
        elif {"test-images", "test-labels"} & set(configuration.pickers[name].looks_at):
            for dataset in _without_test_images(configuration):
                yield f"exports: {name!r} looks at real test images, and dataset {dataset!r} has none"
