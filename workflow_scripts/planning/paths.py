"""What the paths of the configuration lead to: looked at before any job, every error at once."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from workflow_scripts.common.checkpoint_layout import content_errors, layout_errors
from workflow_scripts.common.class_names import read_class_names
from workflow_scripts.common.errors import errors_of
from workflow_scripts.common.texts import one_line
from workflow_scripts.generation.drawers.registry import DRAWERS
from workflow_scripts.models.settings import FolderCheckpoint
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
    for name in used_students(configuration):
        yield from _folder_errors(f"students.{name}", configuration.students[name], what="student")


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
