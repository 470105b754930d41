"""The plan: a validated configuration with its class names, and what the runs in it need."""

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from workflow_scripts.common.constants import HELD_OUT, NO_SOURCE, REAL_TEST, REAL_TRAIN, ZERO_SHOT
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Settings
from workflow_scripts.planning.classes import all_class_names
from workflow_scripts.planning.configuration import Configuration, RunBlock, domains_of_source, real_domains, run_source
from workflow_scripts.planning.layout import (
    EMBEDDINGS,
    ENCODER,
    MAX_SHARDS,
    Comparison,
    Run,
    image_manifest,
    model_manifest,
)
from workflow_scripts.planning.methods import (
    AnyMethod,
    expanded,
    has_pretrained_endpoint,
    parse_run_name,
    trains_encoder,
)
from workflow_scripts.planning.validation import validated_configuration
from workflow_scripts.prompts.settings import DomainPromptsJob
from workflow_scripts.training.ogen.settings import Ogen
from workflow_scripts.training.vl2v.settings import Vl2vAdip

Item = TypeVar("Item")


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))


class Plan:
    """A validated configuration and its class names; everything else is derived from the two."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Validate the configuration and resolve class names.

        Raises:
            InputError: one line per error.
        """
        self.configuration: Configuration = validated_configuration(config)
        self.classes = all_class_names(self.configuration)
        errors = list(dict.fromkeys([*self._base_class_errors(), *_length_errors(self), *_shard_errors(self)]))
        if errors:
            raise InputError("\n".join(errors))

    def _base_class_errors(self) -> Iterable[str]:
        for name, classes in self.classes.items():
            chosen = self.configuration.datasets[name].base_classes
            if not isinstance(chosen, tuple):
                continue
            unknown = [item for item in chosen if item not in classes]
            if unknown:
                yield f"datasets.{name}.base_classes: {unknown[0]!r} is not one of its classes"
                return
            if len(set(chosen)) in (0, len(classes)):
                yield f"datasets.{name}.base_classes: base and new classes both need a class"
        for run in self.trained_runs:
            yield from self._neighbor_errors(run)

    def _neighbor_errors(self, run: Run) -> Iterable[str]:
        method, base = self.method(run), self.base_labels(run.dataset)
        if not isinstance(method, Ogen) or method.variant == "none" or base is None:
            return
        candidates = [("other base", len(base) - 1)]
        if method.variant == "released":
            candidates.append(("new", len(self.classes[run.dataset]) - len(base)))
        for what, count in candidates:
            if method.neighbors > count:
                name = parse_run_name(run.method)[0]
                yield f"methods.{name}.neighbors: {method.neighbors}, but {run.dataset!r} has {count} {what} classes"

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Return every data set, source and CLIP that runs combine."""
        return _distinct(
            Comparison(dataset, source, clip)
            for block in self.configuration.runs
            for dataset in block.datasets
            for source in block.sources
            for clip in block.clips
        )

    def _block_runs(self, block: RunBlock, comparison: Comparison) -> Iterable[Run]:
        for name in block.methods:
            method = self.configuration.methods[name]
            source = run_source(method, comparison.source)
            for run_name in expanded(name, method, self.test_domains(comparison.dataset)):
                for seed in block.seeds:
                    yield Run(comparison.dataset, source, comparison.clip, run_name, seed)

    @cached_property
    def _runs_by_comparison(self) -> dict[Comparison, tuple[Run, ...]]:
        runs_of: dict[Comparison, list[Run]] = {item: [] for item in self.comparisons}
        for block in self.configuration.runs:
            for item in self.comparisons:
                if item.dataset in block.datasets and item.source in block.sources and item.clip in block.clips:
                    runs_of[item] += self._block_runs(block, item)
        return {item: _distinct(runs) for item, runs in runs_of.items()}

    @cached_property
    def trained_runs(self) -> tuple[Run, ...]:
        """Return every run in which something is trained."""
        return _distinct(run for runs in self._runs_by_comparison.values() for run in runs)

    @cached_property
    def zero_shot_runs(self) -> tuple[Run, ...]:
        """Return one zero-shot run per data set and CLIP: it depends on no image and no seed."""
        return _distinct(Run(item.dataset, NO_SOURCE, item.clip, ZERO_SHOT, 0) for item in self.comparisons)

    def runs_of(self, comparison: Comparison) -> tuple[Run, ...]:
        """Return the zero-shot run and the trained runs that one comparison shows."""
        zero_shot = Run(comparison.dataset, NO_SOURCE, comparison.clip, ZERO_SHOT, 0)
        return (zero_shot, *self._runs_by_comparison[comparison])

    def method(self, run: Run) -> AnyMethod:
        """Return the settings of a run's method."""
        return self.configuration.methods[parse_run_name(run.method)[0]]

    def run_names(self, kind: type[Any] | tuple[type[Any], ...]) -> tuple[str, ...]:
        """Return the names that methods of a kind run under."""
        return _distinct(run.method for run in self.trained_runs if isinstance(self.method(run), kind))

    def base_labels(self, dataset: str) -> tuple[int, ...] | None:
        """Return the sorted labels of a data set's base classes, or None if they are not set."""
        chosen, names = self.configuration.datasets[dataset].base_classes, self.classes[dataset]
        if chosen == "half":
            return tuple(range(math.ceil(len(names) / 2)))
        return None if chosen is None else tuple(sorted(names.index(name) for name in chosen))

    def trained_labels(self, run: Run) -> tuple[int, ...] | None:
        """Return the labels that a run is trained on, or None for all."""
        return self.base_labels(run.dataset) if self.method(run).train_classes == "base" else None

    def test_domains(self, dataset: str) -> tuple[str, ...]:
        """Return the domains of a data set's real test images."""
        return real_domains(self.configuration.datasets[dataset], REAL_TEST)

    def evaluation_domains(self, run: Run) -> tuple[str, ...]:
        """Return the domains that a run is scored on: the real ones and its training images' held-out split.

        A run on real images that leaves a domain out is scored on that domain alone: folders of the other domains may
        hold the pictures that it was trained on.
        """
        if run.source == NO_SOURCE:
            return self.test_domains(run.dataset)
        target = parse_run_name(run.method)[1]
        if target is not None and run.source == REAL_TRAIN:
            return (target, HELD_OUT)
        return (*self.test_domains(run.dataset), HELD_OUT)

    def train_domains(self, run: Run) -> tuple[str, ...]:
        """Return the domains that a run is trained on."""
        chosen = self.method(run).domains or domains_of_source(self.configuration, run.dataset, run.source)
        return tuple(domain for domain in chosen if domain != parse_run_name(run.method)[1])

    def alphas(self, run: Run) -> tuple[str, ...]:
        """Return the alphas that a run is scored at: one only where there is nothing to average with."""
        if run.method == ZERO_SHOT:
            return ("0.00",)
        return self.configuration.alphas if has_pretrained_endpoint(self.method(run)) else ("1.00",)

    def exports(self, run: Run) -> tuple[str, ...]:
        """Return the alphas at which a run's model is exported for open_clip; a student is none."""
        return self.configuration.exports if has_pretrained_endpoint(self.method(run)) else ()

    def encoder(self, run: Run) -> list[str]:
        """Return the trained encoder's file, if the run has one."""
        if run.method == ZERO_SHOT or not trains_encoder(self.method(run)):
            return []
        return [f"{run.folder}/{ENCODER}"]

    def embedding_preprocessing(self, run: Run) -> str | None:
        """Return the preprocessing under which a run wants its images embedded beforehand; None if it does not."""
        method = self.method(run)
        if isinstance(method, Ogen):
            return "clip"
        if isinstance(method, Vl2vAdip) and method.augmentation is None:
            return method.preprocessing
        return None

    def embeddings(self, run: Run) -> list[str]:
        """Return the tables of embeddings that a run learns from, one per domain."""
        preprocessing = self.embedding_preprocessing(run)
        if preprocessing is None:
            return []
        return [
            EMBEDDINGS.format(
                dataset=run.dataset, source=run.source, domain=domain, clip=run.clip, preprocessing=preprocessing
            )
            for domain in self.train_domains(run)
        ]

    def student_manifest(self, run: Run) -> str:
        """Return the manifest of the student that a run distils into."""
        method = self.method(run)
        if not isinstance(method, Vl2vAdip):
            raise InputError(f"{run.method}: this method has no student")
        return model_manifest(method.student)

    def model_of(self, generator: str) -> str:
        """Return the name of the model that a generator samples."""
        checkpoint = self.configuration.generators[generator].checkpoint
        return checkpoint.generator if checkpoint.kind == "shared" else generator

    @cached_property
    def generators(self) -> tuple[tuple[str, str], ...]:
        """Return every data set and generator whose images are needed."""
        return _distinct((item.dataset, item.source) for item in self.comparisons if item.source != REAL_TRAIN)

    @cached_property
    def pretrained_clips(self) -> tuple[str, ...]:
        """Return the CLIPs that are pretrained here and needed, by a run or by a generator that is pretrained here."""
        needed = [item.clip for item in self.comparisons]
        needed += [self.text_to_image(model).clip for model in self.pretrained_generators]
        return _distinct(name for name in needed if self.configuration.clips[name].kind == "pretrain")

    @cached_property
    def pretrained_generators(self) -> tuple[str, ...]:
        """Return the text-to-image models that are pretrained here and needed."""
        return _distinct(
            model
            for _, generator in self.generators
            if self.configuration.generators[model := self.model_of(generator)].checkpoint.kind == "pretrain"
        )

    @cached_property
    def _students(self) -> tuple[str, ...]:
        methods = (self.method(run) for run in self.trained_runs)
        return _distinct(method.student for method in methods if isinstance(method, Vl2vAdip))

    @cached_property
    def pretrained_students(self) -> tuple[str, ...]:
        """Return the students that are pretrained here and needed."""
        return tuple(name for name in self._students if self.configuration.students[name].kind == "pretrain")

    @cached_property
    def fetched_checkpoints(self) -> tuple[str, ...]:
        """Return the models that come from a hub or a folder and are needed."""
        clips = [item.clip for item in self.comparisons if item.clip not in self.pretrained_clips]
        sampled = [self.model_of(generator) for _, generator in self.generators]
        generators = [model for model in sampled if model not in self.pretrained_generators]
        students = [name for name in self._students if name not in self.pretrained_students]
        return _distinct([*clips, *generators, *students])

    def kind_of_model(self, model: str) -> str:
        """Return what a model is: clip, student or text-to-image."""
        if model in self.configuration.clips:
            return "clip"
        return "student" if model in self.configuration.students else "text-to-image"

    def text_to_image(self, model: str) -> Any:
        """Return the settings of a text-to-image checkpoint."""
        return self.configuration.generators[model].checkpoint

    def student(self, name: str) -> Any:
        """Return the settings of a student's checkpoint."""
        return self.configuration.students[name]

    def shard_block(self, dataset: str, generator: str) -> int:
        """Return how many images of each class one shard holds."""
        return max(1, self.configuration.generators[generator].images_per_shard // len(self.classes[dataset]))

    def shard_count(self, dataset: str, source: str) -> int:
        """Return how many shards each domain of a source has."""
        if source in (REAL_TRAIN, REAL_TEST):
            images = self.configuration.datasets[dataset].images
            return 0 if images.kind == "none" else images.shards
        return math.ceil(self.configuration.generators[source].images_per_class / self.shard_block(dataset, source))

    @cached_property
    def image_domains(self) -> tuple[tuple[str, str, str], ...]:
        """Return every data set, source and domain whose images are needed, for runs or for a corpus."""
        tested = [(item.dataset, REAL_TEST, d) for item in self.comparisons for d in self.test_domains(item.dataset)]
        trained = [
            (item.dataset, item.source, domain)
            for item in self.comparisons
            for domain in domains_of_source(self.configuration, item.dataset, item.source)
        ]
        trained += [(run.dataset, run.source, d) for run in self.trained_runs for d in self.train_domains(run)]
        corpora: list[Any] = [self.configuration.clips[name] for name in self.pretrained_clips]
        corpora += [self.text_to_image(name) for name in self.pretrained_generators]
        seen = [
            (model.corpus.dataset, REAL_TRAIN, domain) for model in corpora for domain in model.corpus.mixture_weights
        ]
        corpora = [self.student(name).corpus for name in self.pretrained_students]
        seen += [(corpus.dataset, REAL_TRAIN, domain) for corpus in corpora for domain in corpus.domains]
        return _distinct([*tested, *trained, *seen])

    def corpus_manifests(self, model: Any) -> list[str]:
        """Return the manifests of the domains that a model pretrained here learns from."""
        return [image_manifest(model.corpus.dataset, REAL_TRAIN, d) for d in model.corpus.mixture_weights]

    def student_manifests(self, student: str) -> list[str]:
        """Return the manifests of the images that a student pretrained here learns from."""
        corpus = self.student(student).corpus
        return [image_manifest(corpus.dataset, REAL_TRAIN, d) for d in corpus.domains]

    def train_manifests(self, run: Run) -> list[str]:
        """Return the manifests of the images that a run is trained on."""
        return [image_manifest(run.dataset, run.source, d) for d in self.train_domains(run)]

    def scored_manifests(self, run: Run, domain: str) -> list[str]:
        """Return the manifests of an evaluation domain; the held-out one gathers all that a run trains on."""
        if domain == HELD_OUT:
            return self.train_manifests(run)
        return [image_manifest(run.dataset, REAL_TEST, domain)]

    def manifests_of_source(self, dataset: str, source: str) -> list[str]:
        """Return the manifests of all domains of a source of training images."""
        domains = domains_of_source(self.configuration, dataset, source)
        return [image_manifest(dataset, source, domain) for domain in domains]

    def test_manifests(self, dataset: str) -> list[str]:
        """Return the manifests of a data set's real test images."""
        return [image_manifest(dataset, REAL_TEST, d) for d in self.test_domains(dataset)]

    def all_image_manifests(self) -> list[str]:
        """Return the manifests of all images that are needed."""
        return [image_manifest(*item) for item in self.image_domains]

    def description_files(self, dataset: str) -> list[str]:
        """Return the user's file of descriptions, if the data set's head is made from one."""
        head = self.configuration.datasets[dataset].prompts.head
        return [head.file] if head.kind == "descriptions" else []

    def model_manifests(self) -> list[str]:
        """Return the manifests of all models."""
        pretrained = (*self.pretrained_clips, *self.pretrained_generators, *self.pretrained_students)
        return [model_manifest(model) for model in (*pretrained, *self.fetched_checkpoints)]


def _length_errors(plan: Plan) -> list[str]:
    """Return a line per block that is too long for a job's command line, which would only fail in the middle."""
    configuration = plan.configuration
    blocks: dict[str, Settings] = {f"clips.{name}": block for name, block in configuration.clips.items()}
    blocks |= {f"generators.{name}": block for name, block in configuration.generators.items()}
    blocks |= {f"students.{name}": block for name, block in configuration.students.items()}
    blocks |= {f"methods.{name}": block for name, block in configuration.methods.items()}
    for name in plan.classes:
        prompts = configuration.datasets[name].prompts
        blocks[f"datasets.{name}.prompts.head"] = prompts.head
        for domain, templates in prompts.domains.items():
            blocks[f"datasets.{name}.prompts.domains.{domain}"] = DomainPromptsJob(domain=domain, templates=templates)
    errors = []
    for key, block in blocks.items():
        try:
            block.canonical()
        except InputError as error:
            errors.append(f"{key}: {error}")
    return errors


def _shard_errors(plan: Plan) -> list[str]:
    counts = {
        f"generators.{source}.images_per_shard": plan.shard_count(dataset, source)
        for dataset, source in plan.generators
    }
    counts |= {f"datasets.{dataset}.images.shards": plan.shard_count(dataset, REAL_TEST) for dataset in plan.classes}
    return [
        f"{key}: makes {count} shards of each domain, at most {MAX_SHARDS} have a name"
        for key, count in counts.items()
        if count > MAX_SHARDS
    ]
