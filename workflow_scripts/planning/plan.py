"""The plan: a validated configuration with its class names, and what the runs in it need."""

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from workflow_scripts.common.class_names import normalized_class_name
from workflow_scripts.common.constants import HELD_OUT, NO_SOURCE, REAL_TEST, REAL_TRAIN, ZERO_SHOT
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Settings
from workflow_scripts.planning.classes import all_class_names
from workflow_scripts.planning.configuration import (
    Configuration,
    RunBlock,
    domains_of_source,
    real_domains,
    run_source,
    trained_methods,
)
from workflow_scripts.planning.layout import MAX_SHARDS, Comparison, Run
from workflow_scripts.planning.methods import (
    AnyMethod,
    expanded,
    has_pretrained_endpoint,
    parse_run_name,
)
from workflow_scripts.planning.paths import path_errors
from workflow_scripts.planning.validation import configuration_errors, parsed_configuration
from workflow_scripts.prompts.settings import DomainPromptsJob
from workflow_scripts.training.ogen.settings import Ogen
from workflow_scripts.training.vl2v.settings import Vl2vAdip

Item = TypeVar("Item")


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))


class Plan:
    """A validated configuration and its class names; everything else is derived from the two."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Validate the configuration, resolve class names and look at what paths lead to.

        Raises:
            InputError: one line per error.
        """
        self.configuration: Configuration = parsed_configuration(config)
        errors = configuration_errors(self.configuration)
        fits = not errors
        self.classes, class_errors = all_class_names(self.configuration)
        errors += [*class_errors, *path_errors(self.configuration, self.classes)]
        if fits:
            errors += [*self._base_class_errors(), *_length_errors(self), *_shard_errors(self)]
        if errors:
            raise InputError("\n".join(dict.fromkeys(errors)))

    def _base_class_errors(self) -> Iterable[str]:
        wrong = False
        for name, classes in self.classes.items():
            chosen, key = self._chosen_base_classes(name), f"datasets.{name}.base_classes"
            if chosen is None:
                continue
            unknown = [item for item in chosen if item not in classes]
            yield from (f"{key}: {item!r} is not one of its classes" for item in unknown)
            if len(set(chosen)) < len(chosen):
                yield f"{key}: a name occurs twice"
            elif not unknown and len(chosen) in (0, len(classes)):
                yield f"{key}: base and new classes both need a class"
            wrong = wrong or bool(unknown)
        for run in self.trained_runs:
            # Base classes are counted: by names that exist.
            if run.dataset in self.classes and not wrong:
                yield from self._neighbor_errors(run)

    def _chosen_base_classes(self, dataset: str) -> tuple[str, ...] | None:
        """Return the base classes that are given by name, spelled as class names are, or None."""
        chosen = self.configuration.datasets[dataset].base_classes
        return tuple(normalized_class_name(name) for name in chosen) if isinstance(chosen, tuple) else None

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
        """Return every data set, source and CLIP that runs combine; without a source nothing but zero-shot runs."""
        return _distinct(
            Comparison(self.configuration.name, dataset, source, clip)
            for block in self.configuration.runs
            for dataset in block.datasets
            for source in block.sources or (NO_SOURCE,)
            for clip in block.clips
        )

    def _block_runs(self, block: RunBlock, comparison: Comparison) -> Iterable[Run]:
        for name in trained_methods(block):
            method = self.configuration.methods[name]
            source = run_source(method, comparison.source)
            for run_name in expanded(name, method, self.test_domains(comparison.dataset)):
                for seed in block.seeds:
                    yield Run(self.configuration.name, comparison.dataset, source, comparison.clip, run_name, seed)

    @cached_property
    def _runs_by_comparison(self) -> dict[Comparison, tuple[Run, ...]]:
        runs_of: dict[Comparison, list[Run]] = {item: [] for item in self.comparisons}
        for block in self.configuration.runs:
            for item in self.comparisons:
                sources = block.sources or (NO_SOURCE,)
                if item.dataset in block.datasets and item.source in sources and item.clip in block.clips:
                    runs_of[item] += self._block_runs(block, item)
        return {item: _distinct(runs) for item, runs in runs_of.items()}

    @cached_property
    def trained_runs(self) -> tuple[Run, ...]:
        """Return every run in which something is trained."""
        return _distinct(run for runs in self._runs_by_comparison.values() for run in runs)

    @cached_property
    def zero_shot_runs(self) -> tuple[Run, ...]:
        """Return one zero-shot run per data set and CLIP: it depends on no image and no seed."""
        return _distinct(self._zero_shot_run(item) for item in self.comparisons)

    @property
    def runs(self) -> tuple[Run, ...]:
        """Return every run: the zero-shot ones, then those in which something is trained."""
        return (*self.zero_shot_runs, *self.trained_runs)

    def _zero_shot_run(self, comparison: Comparison) -> Run:
        return Run(self.configuration.name, comparison.dataset, NO_SOURCE, comparison.clip, ZERO_SHOT, 0)

    def runs_of(self, comparison: Comparison) -> tuple[Run, ...]:
        """Return the zero-shot run and the trained runs that one comparison shows."""
        return (self._zero_shot_run(comparison), *self._runs_by_comparison[comparison])

    def method(self, run: Run) -> AnyMethod:
        """Return the settings of a run's method."""
        return self.configuration.methods[parse_run_name(run.method)[0]]

    def run_names(self, kind: type[Any] | tuple[type[Any], ...]) -> tuple[str, ...]:
        """Return the names that methods of a kind run under."""
        return _distinct(run.method for run in self.trained_runs if isinstance(self.method(run), kind))

    def base_labels(self, dataset: str) -> tuple[int, ...] | None:
        """Return the sorted labels of a data set's base classes, or None if they are not set."""
        names = self.classes[dataset]
        if self.configuration.datasets[dataset].base_classes == "half":
            return tuple(range(math.ceil(len(names) / 2)))
        chosen = self._chosen_base_classes(dataset)
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

    def embedding_preprocessing(self, run: Run) -> str | None:
        """Return the preprocessing under which a run wants its images embedded beforehand; None if it does not."""
        method = self.method(run)
        if isinstance(method, Ogen):
            return "clip"
        if isinstance(method, Vl2vAdip) and method.augmentation is None:
            return method.preprocessing
        return None

    def student_of(self, run: Run) -> str:
        """Return the name of the student that a run distils into."""
        method = self.method(run)
        if not isinstance(method, Vl2vAdip):
            raise InputError(f"{run.method}: this method has no student")
        return method.student

    def model_of(self, generator: str) -> str:
        """Return the name of the model that a generator samples."""
        checkpoint = self.configuration.generators[generator].checkpoint
        return checkpoint.generator if checkpoint.kind == "shared" else generator

    @cached_property
    def generators(self) -> tuple[tuple[str, str], ...]:
        """Return every data set and generator whose images are trained on; where nothing is, nothing is drawn."""
        return _distinct((run.dataset, run.source) for run in self.trained_runs if run.source != REAL_TRAIN)

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

    def shards_of(self, dataset: str, source: str) -> dict[str, tuple[int, int]]:
        """Return the shards of each domain of a data set and source, by name, in order.

        Of generated images a shard is a block of indices within each class, from the first up to, without it, the
        second number; of real images it is the first number's block of as many as the second says.
        """
        if source in (REAL_TRAIN, REAL_TEST):
            images = self.configuration.datasets[dataset].images
            count = 0 if images.kind == "none" else images.shards
            return {f"{number:05d}-of-{count:05d}": (number, count) for number in range(count)}
        generator = self.configuration.generators[source]
        block = max(1, generator.images_per_shard // len(self.classes[dataset]))
        starts = range(0, generator.images_per_class, block)
        ends = [min(start + block, generator.images_per_class) for start in starts]
        return {f"{start:06d}-{end:06d}": (start, end) for start, end in zip(starts, ends, strict=True)}

    @cached_property
    def shards(self) -> dict[tuple[str, str], dict[str, tuple[int, int]]]:
        """Return the shards of every data set and source whose images are needed."""
        return {pair: self.shards_of(*pair) for pair in _distinct(item[:2] for item in self.image_domains)}

    @cached_property
    def image_domains(self) -> tuple[tuple[str, str, str], ...]:
        """Return every data set, source and domain whose images are needed, for runs or for a corpus."""
        tested = [(item.dataset, REAL_TEST, d) for item in self.comparisons for d in self.test_domains(item.dataset)]
        trained = [(run.dataset, run.source, d) for run in self.trained_runs for d in self.train_domains(run)]
        corpora: list[Any] = [self.configuration.clips[name] for name in self.pretrained_clips]
        corpora += [self.text_to_image(name) for name in self.pretrained_generators]
        seen = [
            (model.corpus.dataset, REAL_TRAIN, domain) for model in corpora for domain in model.corpus.mixture_weights
        ]
        corpora = [self.student(name).corpus for name in self.pretrained_students]
        seen += [(corpus.dataset, REAL_TRAIN, domain) for corpus in corpora for domain in corpus.domains]
        return _distinct([*tested, *trained, *seen])

    def training_images(self, comparison: Comparison) -> tuple[tuple[str, str, str], ...]:
        """Return data set, source and domain of the images of a comparison's own source that are trained on."""
        own = [run for run in self._runs_by_comparison[comparison] if run.source == comparison.source]
        return _distinct((run.dataset, run.source, domain) for run in own for domain in self.train_domains(run))

    def test_images(self, dataset: str) -> tuple[tuple[str, str, str], ...]:
        """Return data set, source and domain of a data set's real test images."""
        return tuple((dataset, REAL_TEST, domain) for domain in self.test_domains(dataset))

    @property
    def models(self) -> tuple[str, ...]:
        """Return every model that is needed: CLIPs, text-to-image models and students, pretrained here or fetched."""
        pretrained = (*self.pretrained_clips, *self.pretrained_generators, *self.pretrained_students)
        return (*pretrained, *self.fetched_checkpoints)

    def description_files(self, dataset: str) -> list[str]:
        """Return the user's file of descriptions, if the data set's head is made from one."""
        head = self.configuration.datasets[dataset].prompts.head
        return [head.file] if head.kind == "descriptions" else []


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
    errors = []
    for dataset, source in _distinct(item[:2] for item in plan.image_domains if item[0] in plan.classes):
        count = len(plan.shards_of(dataset, source))
        if count > MAX_SHARDS:
            real = source in (REAL_TRAIN, REAL_TEST)
            key = f"datasets.{dataset}.images.shards" if real else f"generators.{source}.images_per_shard"
            errors.append(f"{key}: makes {count} shards of each domain, at most {MAX_SHARDS} are allowed")
    return errors
