"""What the paths of the configuration lead to: looked at before any job, every error at once."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from workflow_scripts.common.checkpoint_files import TIMM_CONFIG
from workflow_scripts.common.checkpoint_layout import content_errors, label_names, layout_errors, only_size
from workflow_scripts.common.class_names import read_class_names
from workflow_scripts.common.errors import InputError, errors_of
from workflow_scripts.common.texts import one_line
from workflow_scripts.generation.drawers.registry import DRAWERS
from workflow_scripts.models.settings import FolderCheckpoint, LatentTransformer, PretrainTextToImage
from workflow_scripts.planning.configuration import Configuration
from workflow_scripts.planning.used_blocks import (
    measured_datasets,
    model_of,
    used_clips,
    used_datasets,
    used_generators,
    used_students,
    used_text_to_image,
)
from workflow_scripts.prompts.settings import Descriptions
from workflow_scripts.prompts.templates import description_errors

_SAFETY_CHECKER = "safety_checker"

PathError = tuple[str, str]
"""The key that names a path, and what is wrong with what lies there."""


def path_errors(configuration: Configuration, classes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return a line per error of a path that a run uses: the key, the path, what is wrong, and the way out.

    Blocks that no run uses are not looked at: they may name folders of other machines. Names that nobody defines are
    passed over.

    Args:
        configuration: the configuration; its names need not fit each other.
        classes: class names of the used data sets, as far as they could be resolved; of the other data sets it is
            only checked that the paths can be read.
    """
    errors = [*_checkpoint_errors(configuration)]
    for name in used_datasets(configuration):
        dataset, key = configuration.datasets[name], f"datasets.{name}"
        errors += [(f"{key}.images.{own}", error) for own, error in dataset.images.path_errors(classes.get(name))]
        if dataset.classes_file is not None:
            lines = errors_of(read_class_names, Path(dataset.classes_file))
            errors += [(f"{key}.classes_file", line) for line in lines]
    for name in measured_datasets(configuration):
        errors += _judge_errors(configuration, name, classes.get(name, ()))
        for head, sentences in configuration.datasets[name].prompts.heads.items():
            if isinstance(sentences, Descriptions):
                key = f"datasets.{name}.prompts.heads.{head}.file"
                errors += [(key, error) for error in description_errors(Path(sentences.file), classes.get(name, ()))]
    return list(dict.fromkeys(one_line(f"{key}: {error}") for key, error in errors))


def _checkpoint_errors(configuration: Configuration) -> Iterator[PathError]:
    for name in used_clips(configuration):
        yield from _folder_errors(f"clips.{name}", configuration.clips[name], what="clip")
    for name in used_text_to_image(configuration):
        samplers = [other for other in used_generators(configuration) if model_of(configuration, other) == name]
        checked = any(configuration.generators[other].safety_checker for other in samplers)
        generator, unused = configuration.generators[name], () if checked else (_SAFETY_CHECKER,)
        what = DRAWERS[generator.drawer]
        yield from _folder_errors(f"generators.{name}.checkpoint", generator.checkpoint, what=what, unused=unused)
        yield from _size_errors(configuration, name, samplers)
    for name in used_students(configuration):
        yield from _folder_errors(f"students.{name}", configuration.students[name], what="student")


def _size_errors(configuration: Configuration, generator: str, samplers: list[str]) -> Iterator[PathError]:
    checkpoint = configuration.generators[generator].checkpoint
    if isinstance(checkpoint, PretrainTextToImage) and isinstance(checkpoint.denoiser, LatentTransformer):
        only: int | None = checkpoint.image_size
    else:
        only = only_size(Path(checkpoint.path)) if isinstance(checkpoint, FolderCheckpoint) else None
    for sampler in samplers:
        size = configuration.generators[sampler].size
        if only is not None and size not in (None, only):
            yield f"generators.{sampler}.size", f"{generator} draws {only} x {only} pixels alone; leave it out"


def _judge_errors(configuration: Configuration, dataset: str, classes: tuple[str, ...]) -> Iterator[PathError]:
    judge = configuration.datasets[dataset].judge
    checkpoint = None if judge is None else configuration.students.get(judge)
    if not isinstance(checkpoint, FolderCheckpoint) or not (Path(checkpoint.path) / TIMM_CONFIG).is_file():
        return
    key = f"datasets.{dataset}.judge"
    try:
        known = set(label_names(Path(checkpoint.path)))
    except InputError as error:
        yield key, str(error)
    else:
        if unknown := [name for name in classes if name not in known]:
            yield (
                key,
                f"{judge} does not know {', '.join(map(repr, unknown[:5]))}; leave the key out, or train one",
            )


def _folder_errors(key: str, checkpoint: object, *, what: str, unused: tuple[str, ...] = ()) -> Iterator[PathError]:
    if not isinstance(checkpoint, FolderCheckpoint):
        return
    folder = Path(checkpoint.path)
    try:
        for error in (*layout_errors(folder, what=what), *content_errors(folder, what=what, unused=unused)):
            yield f"{key}.path", error
    except OSError as error:
        # A link in the folder that leads where nobody may look.
        yield f"{key}.path", f"{error.filename or folder}: not readable ({error.strerror}); check its permissions"
