"""The plan: a validated configuration with its class names, and what the runs in it need."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from workflow_scripts.common.class_names import normalized_class_name
from workflow_scripts.common.constants import HELD_OUT, NO_SOURCE, REAL_TEST, REAL_TRAIN, WITHOUT
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Settings
from workflow_scripts.generation.drawers.registry import DRAWERS
from workflow_scripts.models.settings import AnyCorpus, PreparedCorpus
from workflow_scripts.planning.classes import all_class_names
from workflow_scripts.planning.configuration import (
    Configuration,
    RunBlock,
    domains_of_source,
    head_of,
    named_heads,
    real_domains,
    run_source,
    sources_of,
    trained_methods,
    zero_shot_name,
)
from workflow_scripts.planning.layout import MAX_SHARDS, Comparison, Run
from workflow_scripts.planning.paths import path_errors
from workflow_scripts.planning.validation import configuration_errors, parsed_configuration
from workflow_scripts.prompts.settings import DomainPromptsJob
from workflow_scripts.real_images.kind import PreparedImages
from workflow_scripts.real_images.kinds.registry import kind_module
from workflow_scripts.selection.pickers.registry import named_picker
from workflow_scripts.training.method_settings import Method, ZeroShot
from workflow_scripts.training.methods import package_of

Item = TypeVar("Item")


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))


@dataclass(frozen=True)
class PlannedRun:
    """What a run is: a method's name and settings, the head that it starts from, and the domain that it leaves out."""

    name: str
    method: Method
    head: str
    without: str | None = None


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
            errors += [
                *self._base_class_errors(),
                *self._other_run_errors(),
                *_length_errors(self),
                *_shard_errors(self),
            ]
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
                base = self.base_labels(run.dataset)
                errors = self.method(run).class_errors(
                    run.dataset,
                    base=None if base is None else len(base),
                    classes=len(self.classes[run.dataset]),
                )
                yield from (f"methods.{self.planned(run).name}.{key}: {error}" for key, error in errors)

    def _chosen_base_classes(self, dataset: str) -> tuple[str, ...] | None:
        """Return the base classes that are given by name, spelled as class names are, or None."""
        chosen = self.configuration.datasets[dataset].base_classes
        return tuple(normalized_class_name(name) for name in chosen) if isinstance(chosen, tuple) else None

    def _other_run_errors(self) -> Iterable[str]:
        for run in self.trained_runs:
            other = self.method(run).other_runs()
            if other is not None and not self.other_runs(run):
                yield (
                    f"methods.{self.planned(run).name}: builds on {other.method!r}, but no run of it goes before "
                    f"{run.folder}; name it beside it in runs, with the same train_on"
                )

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

    def _block_runs(self, block: RunBlock, comparison: Comparison) -> Iterable[tuple[Run, PlannedRun]]:
        dataset = self.configuration.datasets[comparison.dataset]
        for name in trained_methods(block):
            method = self.configuration.methods[name]
            source, head = run_source(method, comparison.source), head_of(method, dataset)
            for target in self.test_domains(comparison.dataset) if method.leave_one_domain_out else (None,):
                planned = PlannedRun(name, method, head, target)
                run_name = name if target is None else f"{name}{WITHOUT}{target}"
                for seed in block.seeds:
                    run = Run(self.configuration.name, comparison.dataset, source, comparison.clip, run_name, seed)
                    yield run, planned

    @cached_property
    def _trained_by_comparison(self) -> dict[Comparison, dict[Run, PlannedRun]]:
        runs_of: dict[Comparison, dict[Run, PlannedRun]] = {item: {} for item in self.comparisons}
        for item in self.comparisons:
            for block in self._blocks_of(item):
                runs_of[item] |= self._block_runs(block, item)
        return runs_of

    def _blocks_of(self, comparison: Comparison) -> Iterable[RunBlock]:
        for block in self.configuration.runs:
            sources = block.sources or (NO_SOURCE,)
            if comparison.dataset in block.datasets and comparison.source in sources and comparison.clip in block.clips:
                yield block

    def _zero_shot_runs_of(self, comparison: Comparison) -> dict[Run, PlannedRun]:
        """Return a zero-shot run with the first head, each that is named, and each that a trained run starts from."""
        dataset = self.configuration.datasets[comparison.dataset]
        trained = self._trained_by_comparison[comparison].values()
        used = [planned.head for planned in trained if "zero-shot-head" in planned.method.inputs]
        named = [head for block in self._blocks_of(comparison) for head in named_heads(block)]
        return {
            self._zero_shot_run(comparison, head): PlannedRun(zero_shot_name(head, dataset), ZeroShot(), head)
            for head in _distinct([head_of(ZeroShot(), dataset), *named, *used])
        }

    def _zero_shot_run(self, where: Comparison | Run, head: str) -> Run:
        name = zero_shot_name(head, self.configuration.datasets[where.dataset])
        return Run(self.configuration.name, where.dataset, NO_SOURCE, where.clip, name, 0)

    @cached_property
    def _zero_shot_runs(self) -> dict[Run, PlannedRun]:
        return {run: planned for item in self.comparisons for run, planned in self._zero_shot_runs_of(item).items()}

    @cached_property
    def _trained_runs(self) -> dict[Run, PlannedRun]:
        return {run: planned for runs in self._trained_by_comparison.values() for run, planned in runs.items()}

    @property
    def trained_runs(self) -> tuple[Run, ...]:
        """Return every run in which something is trained."""
        return tuple(self._trained_runs)

    @property
    def zero_shot_runs(self) -> tuple[Run, ...]:
        """Return one zero-shot run per data set, CLIP and head that is used: it depends on no image and no seed."""
        return tuple(self._zero_shot_runs)

    @property
    def runs(self) -> tuple[Run, ...]:
        """Return every run: the zero-shot ones, then those in which something is trained."""
        return (*self.zero_shot_runs, *self.trained_runs)

    def runs_of(self, comparison: Comparison) -> tuple[Run, ...]:
        """Return the zero-shot runs and the trained runs that one comparison shows."""
        return (*self._zero_shot_runs_of(comparison), *self._trained_by_comparison[comparison])

    def logged_runs_of(self, comparison: Comparison) -> tuple[Run, ...]:
        """Return the runs of one comparison that have a training log."""
        return tuple(run for run in self.runs_of(comparison) if self.method(run).has_training_log)

    def planned(self, run: Run) -> PlannedRun:
        """Return what a run is."""
        return self._trained_runs[run] if run in self._trained_runs else self._zero_shot_runs[run]

    def method(self, run: Run) -> Method:
        """Return the settings of a run's method."""
        return self.planned(run).method

    def run_names(self, package: str) -> tuple[str, ...]:
        """Return the names that methods of a kind run under, by the kind's package."""
        return _distinct(run.method for run in self.trained_runs if package_of(self.method(run)) == package)

    def zero_shot_run_of(self, run: Run) -> Run:
        """Return the zero-shot run whose head a run starts from."""
        return self._zero_shot_run(run, self.planned(run).head)

    def references(self, comparison: Comparison) -> dict[str, str]:
        """Return from each method that starts from a zero-shot head to the zero-shot run with that head."""
        return {
            run.method: self.zero_shot_run_of(run).method
            for run, planned in self._trained_by_comparison[comparison].items()
            if "zero-shot-head" in planned.method.inputs
        }

    def other_runs(self, run: Run) -> tuple[Run, ...]:
        """Return the runs that a run builds on, by seed: of its own data set, source, CLIP and left-out domain."""
        planned = self.planned(run)
        wanted = planned.method.other_runs()
        if wanted is None:
            return ()
        others = [
            other
            for other, candidate in self._trained_runs.items()
            if (other.dataset, other.source, other.clip) == (run.dataset, run.source, run.clip)
            and (candidate.name, candidate.without) == (wanted.method, planned.without)
            and (wanted.seeds == "all" or other.seed == run.seed)
        ]
        return tuple(sorted(others, key=lambda other: other.seed))

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
        planned = self.planned(run)
        if planned.without is not None and planned.method.sees_real_images:
            return (planned.without, HELD_OUT)
        return (*self.test_domains(run.dataset), HELD_OUT)

    def train_images(self, run: Run) -> tuple[tuple[str, str, str], ...]:
        """Return data set, source and domain of the images that a run is trained on.

        A run that asks for no images is trained on those of the runs that it builds on.
        """
        planned = self.planned(run)
        if "images" not in planned.method.inputs:
            return _distinct(item for other in self.other_runs(run) for item in self.train_images(other))
        domains_of = {
            source: domains_of_source(self.configuration, run.dataset, source)
            for source in sources_of(planned.method, run.source)
        }
        return tuple(
            (run.dataset, source, domain)
            for source, domains in domains_of.items()
            for domain in planned.method.domains or domains
            if domain in domains and domain != planned.without
        )

    def alphas(self, run: Run) -> tuple[str, ...]:
        """Return the alphas that a run is scored at: one only where there is nothing to average with."""
        endpoints = self.method(run).endpoints
        if len(endpoints) > 1:
            return self.configuration.alphas
        return ("0.00",) if endpoints == ("pretrained",) else ("1.00",)

    def picker_modules(self) -> list[str]:
        """Return the modules of the pickers that choose alphas."""
        modules = (named_picker(name, picker).module for name, picker in self.configuration.pickers.items())
        return [f"selection.pickers.{name}" for name in _distinct(modules)]

    def exports(self, run: Run) -> tuple[str, ...]:
        """Return the alphas and pickers that name a run's exports for open_clip, if open_clip can carry it."""
        method = self.method(run)
        return self.configuration.exports if method.exported and len(method.endpoints) > 1 else ()

    def model_of(self, generator: str) -> str:
        """Return the name of the model that a generator samples."""
        checkpoint = self.configuration.generators[generator].checkpoint
        return checkpoint.generator if checkpoint.kind == "shared" else generator

    @cached_property
    def generators(self) -> tuple[tuple[str, str], ...]:
        """Return every data set and generator whose images are trained on; where nothing is, nothing is drawn."""
        images = (item for run in self.trained_runs for item in self.train_images(run))
        return _distinct((dataset, source) for dataset, source, _ in images if source != REAL_TRAIN)

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

    def clips_pretrained(self, vocabulary: str) -> tuple[str, ...]:
        """Return the CLIPs among `pretrained_clips` with a vocabulary, CLIP's or that of their corpus."""
        clips: Any = self.configuration.clips
        return tuple(name for name in self.pretrained_clips if clips[name].vocabulary == vocabulary)

    def generators_pretrained(self, denoiser: str) -> tuple[str, ...]:
        """Return the text-to-image models among `pretrained_generators` with a kind of denoiser."""
        return tuple(n for n in self.pretrained_generators if self.text_to_image(n).denoiser.kind == denoiser)

    @cached_property
    def _students(self) -> tuple[str, ...]:
        names = [self.method(run).student_name() for run in self.trained_runs]
        names += [self.judge(dataset) for dataset, _ in self.generators]
        return _distinct(name for name in names if name is not None)

    def judge(self, dataset: str) -> str | None:
        """Return the network that is asked what a data set's drawn pictures show."""
        return self.configuration.datasets[dataset].judge

    @cached_property
    def inspected(self) -> tuple[tuple[str, str, str], ...]:
        """Return data set, source and domain of what a judge looks at: drawn pictures, and real test images."""
        datasets = _distinct(dataset for dataset, _ in self.generators if self.judge(dataset) is not None)
        drawn = [item for item in self.image_domains if item[0] in datasets and item[:2] in self.generators]
        return (*drawn, *(item for dataset in datasets for item in self.test_images(dataset)))

    def compared_images(self, dataset: str) -> tuple[tuple[str, str, str], ...]:
        """Return data set, source and domain of the training images among which copies are looked for."""
        domains = real_domains(self.configuration.datasets[dataset], REAL_TRAIN)
        return tuple((dataset, REAL_TRAIN, domain) for domain in domains)

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

    def layout(self, model: str) -> str:
        """Return what a model's folder holds: a clip, a student, or what its generator's drawer reads."""
        if model in self.configuration.clips:
            return "clip"
        if model in self.configuration.students:
            return "student"
        return DRAWERS[self.configuration.generators[model].drawer]

    def checkpoint(self, model: str) -> Settings:
        """Return where a model comes from."""
        configuration = self.configuration
        blocks: dict[str, Settings] = {**configuration.clips, **configuration.students}
        return blocks[model] if model in blocks else configuration.generators[model].checkpoint

    def drawer(self, generator: str) -> str:
        """Return the module that draws a generator's images."""
        return self.configuration.generators[generator].drawer

    def kind_of_images(self, dataset: str) -> str:
        """Return the module of the kind that a data set is of."""
        return kind_module(self.configuration.datasets[dataset].images)

    @cached_property
    def prepared_datasets(self) -> tuple[str, ...]:
        """Return the data sets whose pictures a job of its own prepares."""
        needed = [dataset for dataset, source, _ in self.image_domains if source in (REAL_TRAIN, REAL_TEST)]
        needed += [corpus.dataset for corpus in self._captioned_corpora if isinstance(corpus, PreparedCorpus)]
        datasets = self.configuration.datasets
        return tuple(name for name in _distinct(needed) if isinstance(datasets[name].images, PreparedImages))

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
            count = self.configuration.datasets[dataset].images.shards
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
        trained = [item for run in self.trained_runs for item in self.train_images(run)]
        seen = [
            (corpus.dataset, REAL_TRAIN, domain)
            for corpus in self._captioned_corpora
            if not isinstance(corpus, PreparedCorpus)
            for domain in corpus.mixture_weights
        ]
        categorized = [self.student(name).corpus for name in self.pretrained_students]
        seen += [(corpus.dataset, REAL_TRAIN, domain) for corpus in categorized for domain in corpus.domains]
        judged = _distinct(dataset for dataset, _ in self.generators if self.judge(dataset) is not None)
        compared = [item for dataset in judged for item in self.compared_images(dataset)]
        return _distinct([*tested, *trained, *seen, *compared])

    @cached_property
    def _captioned_corpora(self) -> tuple[AnyCorpus, ...]:
        """Return the corpora of the CLIPs and text-to-image models that are pretrained here."""
        models: list[Any] = [self.configuration.clips[name] for name in self.pretrained_clips]
        models += [self.text_to_image(name) for name in self.pretrained_generators]
        return tuple(model.corpus for model in models)

    def training_images(self, comparison: Comparison) -> tuple[tuple[str, str, str], ...]:
        """Return data set, source and domain of the images of a comparison's own source that are trained on."""
        images = (item for run in self._trained_by_comparison[comparison] for item in self.train_images(run))
        return _distinct(item for item in images if item[1] == comparison.source)

    def test_images(self, dataset: str) -> tuple[tuple[str, str, str], ...]:
        """Return data set, source and domain of a data set's real test images."""
        return tuple((dataset, REAL_TEST, domain) for domain in self.test_domains(dataset))

    @property
    def models(self) -> tuple[str, ...]:
        """Return every model that is needed: CLIPs, text-to-image models and students, pretrained here or fetched."""
        pretrained = (*self.pretrained_clips, *self.pretrained_generators, *self.pretrained_students)
        return (*pretrained, *self.fetched_checkpoints)

    def description_files(self, dataset: str, head: str) -> list[str]:
        """Return the user's file of descriptions, if a head of the data set is made from one."""
        sentences = self.configuration.datasets[dataset].prompts.heads[head]
        return [sentences.file] if sentences.kind == "descriptions" else []


def _length_errors(plan: Plan) -> list[str]:
    """Return a line per block that is too long for a job's command line, which would only fail in the middle."""
    configuration = plan.configuration
    blocks: dict[str, Settings] = {f"clips.{name}": block for name, block in configuration.clips.items()}
    blocks |= {f"generators.{name}": block for name, block in configuration.generators.items()}
    blocks |= {f"students.{name}": block for name, block in configuration.students.items()}
    blocks |= {f"methods.{name}": block for name, block in configuration.methods.items()}
    for name in plan.classes:
        prompts = configuration.datasets[name].prompts
        blocks |= {f"datasets.{name}.prompts.heads.{head}": block for head, block in prompts.heads.items()}
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
