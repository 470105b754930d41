"""The plan: a validated configuration with its class names, and what the runs in it need."""

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from workflow_scripts.evaluation.settings import HELD_OUT
from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.settings import Settings
from workflow_scripts.planning.classes import all_class_names
from workflow_scripts.planning.configuration import (
    NO_SOURCE,
    REAL_TEST,
    REAL_TRAIN,
    ZERO_SHOT,
    Configuration,
    real_domains,
    source_domains,
    validated,
)
from workflow_scripts.planning.layout import MOST_SHARDS, Comparison, Run, image_folder, model_manifest
from workflow_scripts.prompts.settings import StylePrompts

Item = TypeVar("Item")


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))


class Plan:
    """A validated configuration and its class names; everything else is derived from the two."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Validate the configuration and resolve class names.

        Raises:
            InputError: one line per fault.
        """
        self.configuration: Configuration = validated(config)
        self.classes = all_class_names(self.configuration)
        if faults := [*_long_faults(self), *_shard_faults(self)]:
            raise InputError("\n".join(faults))

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

    @cached_property
    def trained_runs(self) -> tuple[Run, ...]:
        """Return every run in which something is trained."""
        return _distinct(
            Run(dataset, source, clip, method, seed)
            for block in self.configuration.runs
            for dataset in block.datasets
            for source in block.sources
            for clip in block.clips
            for method in block.methods
            for seed in block.seeds
        )

    @cached_property
    def zero_shot_runs(self) -> tuple[Run, ...]:
        """Return one zero-shot run per data set and CLIP: it depends on no image and no seed."""
        return _distinct(Run(item.dataset, NO_SOURCE, item.clip, ZERO_SHOT, 0) for item in self.comparisons)

    def runs_of(self, comparison: Comparison) -> tuple[Run, ...]:
        """Return the zero-shot run and the trained runs that one comparison shows."""
        return tuple(
            run
            for run in (*self.zero_shot_runs, *self.trained_runs)
            if (run.dataset, run.clip) == (comparison.dataset, comparison.clip)
            and run.source in (NO_SOURCE, comparison.source)
        )

    def test_domains(self, dataset: str) -> tuple[str, ...]:
        """Return the domains of a data set's real test images."""
        return real_domains(self.configuration.datasets[dataset], REAL_TEST)

    def evaluation_domains(self, run: Run) -> tuple[str, ...]:
        """Return the domains that a run is scored on: the real ones and its training images' held-out part."""
        held_out = () if run.source == NO_SOURCE else (HELD_OUT,)
        return (*self.test_domains(run.dataset), *held_out)

    def train_domains(self, run: Run) -> tuple[str, ...]:
        """Return the styles or domains that a run is trained on."""
        chosen = self.configuration.methods[run.method].styles
        return source_domains(self.configuration, run.dataset, run.source) if chosen is None else chosen

    def alphas(self, run: Run) -> tuple[str, ...]:
        """Return the alphas that a run is scored at: only the pre-trained end where nothing is trained."""
        return ("0.00",) if run.method == ZERO_SHOT else self.configuration.alphas

    def model_of(self, generator: str) -> str:
        """Return the name of the model that a generator draws with."""
        checkpoint = self.configuration.generators[generator].checkpoint
        return checkpoint.generator if checkpoint.kind == "shared" else generator

    @cached_property
    def generators(self) -> tuple[tuple[str, str], ...]:
        """Return every data set and generator whose images are needed."""
        return _distinct((item.dataset, item.source) for item in self.comparisons if item.source != REAL_TRAIN)

    @cached_property
    def embedded_clips(self) -> tuple[str, ...]:
        """Return the CLIPs that are trained here and needed, by a run or by an embedded generator."""
        needed = [item.clip for item in self.comparisons]
        needed += [self.text_to_image(model).clip for model in self.embedded_generators]
        return _distinct(name for name in needed if self.configuration.clips[name].kind == "embedded")

    @cached_property
    def embedded_generators(self) -> tuple[str, ...]:
        """Return the text-to-image models that are trained here and needed."""
        return _distinct(
            model
            for _, generator in self.generators
            if self.configuration.generators[model := self.model_of(generator)].checkpoint.kind == "embedded"
        )

    @cached_property
    def collected_models(self) -> tuple[str, ...]:
        """Return the models that come from a hub or a folder and are needed."""
        clips = [item.clip for item in self.comparisons if item.clip not in self.embedded_clips]
        return _distinct(
            [*clips, *(m for _, g in self.generators if (m := self.model_of(g)) not in self.embedded_generators)]
        )

    def text_to_image(self, model: str) -> Any:
        """Return the settings of a text-to-image checkpoint."""
        return self.configuration.generators[model].checkpoint

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
            for domain in source_domains(self.configuration, item.dataset, item.source)
        ]
        corpora: list[Any] = [self.configuration.clips[name] for name in self.embedded_clips]
        corpora += [self.text_to_image(name) for name in self.embedded_generators]
        seen = [(model.corpus.dataset, REAL_TRAIN, domain) for model in corpora for domain in model.corpus.shares]
        return _distinct([*tested, *trained, *seen])

    def corpus_manifests(self, model: Any) -> list[str]:
        """Return the manifests of the domains that an embedded model learns from."""
        return [f"{image_folder(model.corpus.dataset, REAL_TRAIN, d)}/manifest.json" for d in model.corpus.shares]

    def train_manifests(self, run: Run) -> list[str]:
        """Return the manifests of the images that a run is trained on."""
        return [f"{image_folder(run.dataset, run.source, d)}/manifest.json" for d in self.train_domains(run)]

    def scored_manifests(self, run: Run, domain: str) -> list[str]:
        """Return the manifests of an evaluation domain; the held-out one gathers all that a run trains on."""
        if domain == HELD_OUT:
            return self.train_manifests(run)
        return [f"{image_folder(run.dataset, REAL_TEST, domain)}/manifest.json"]

    def source_manifests(self, dataset: str, source: str) -> list[str]:
        """Return the manifests of all domains of a source of training images."""
        domains = source_domains(self.configuration, dataset, source)
        return [f"{image_folder(dataset, source, domain)}/manifest.json" for domain in domains]

    def test_manifests(self, dataset: str) -> list[str]:
        """Return the manifests of a data set's real test images."""
        return [f"{image_folder(dataset, REAL_TEST, d)}/manifest.json" for d in self.test_domains(dataset)]

    def all_image_manifests(self) -> list[str]:
        """Return the manifests of all images that are needed."""
        return [f"{image_folder(*item)}/manifest.json" for item in self.image_domains]

    def description_files(self, dataset: str) -> list[str]:
        """Return the user's file of descriptions, if the data set's head is made from one."""
        head = self.configuration.datasets[dataset].prompts.head
        return [head.file] if head.kind == "descriptions" else []

    def model_manifests(self) -> list[str]:
        """Return the manifests of all models."""
        return [model_manifest(m) for m in (*self.embedded_clips, *self.embedded_generators, *self.collected_models)]


def _long_faults(plan: Plan) -> list[str]:
    """Return a line per block that is too long for a job's command line, which would only fail in the middle."""
    configuration = plan.configuration
    blocks: dict[str, Settings] = {f"clips.{name}": block for name, block in configuration.clips.items()}
    blocks |= {f"generators.{name}": block for name, block in configuration.generators.items()}
    blocks |= {f"methods.{name}": block for name, block in configuration.methods.items()}
    for name in plan.classes:
        prompts = configuration.datasets[name].prompts
        blocks[f"datasets.{name}.prompts.head"] = prompts.head
        for style, templates in prompts.styles.items():
            blocks[f"datasets.{name}.prompts.styles.{style}"] = StylePrompts(style=style, templates=templates)
    faults = []
    for key, block in blocks.items():
        try:
            block.canonical()
        except InputError as error:
            faults.append(f"{key}: {error}")
    return faults


def _shard_faults(plan: Plan) -> list[str]:
    counts = {
        f"generators.{source}.images_per_shard": plan.shard_count(dataset, source)
        for dataset, source in plan.generators
    }
    counts |= {f"datasets.{dataset}.images.shards": plan.shard_count(dataset, REAL_TEST) for dataset in plan.classes}
    return [
        f"{key}: makes {count} shards of each domain, at most {MOST_SHARDS} have a name"
        for key, count in counts.items()
        if count > MOST_SHARDS
    ]
