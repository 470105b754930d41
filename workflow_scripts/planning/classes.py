"""The class names of a data set, resolved before any job."""

from pathlib import Path

from workflow_scripts.common.class_names import read_class_names, validated_class_names
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.texts import one_line
from workflow_scripts.planning.configuration import Configuration, Dataset
from workflow_scripts.real_images.builtin_classes import CLASS_NAMES
from workflow_scripts.real_images.folders import class_folders, validate_folders
from workflow_scripts.real_images.settings import ImageFolders
from workflow_scripts.training.vl2v.settings import Vl2vAdip


def class_names(name: str, dataset: Dataset) -> tuple[str, ...]:
    """Return a data set's class names in label order: as configured, the data set's own, or its folders' names.

    Raises:
        InputError: names are refused, their number does not fit the data set, or a folder does not fit the names.
    """
    images = dataset.images
    try:
        names = validated_class_names(_names(dataset))
        if isinstance(images, ImageFolders):
            for root in (*images.train.values(), *images.test.values()):
                validate_folders(Path(root), names)
    except InputError as error:
        raise InputError(f"datasets.{name}: {error}") from None
    expected = len(CLASS_NAMES.get(images.kind, names))
    if len(names) != expected:
        raise InputError(f"datasets.{name}.classes: {len(names)} names, but {images.kind} has {expected} classes")
    return names


def _names(dataset: Dataset) -> tuple[str, ...]:
    images = dataset.images
    if dataset.classes is not None:
        return dataset.classes
    if dataset.classes_file is not None:
        return read_class_names(Path(dataset.classes_file))
    if isinstance(images, ImageFolders):
        roots = (*images.test.values(), *images.train.values())
        if not roots:
            raise InputError("images: name at least one folder under train or test, or use kind: none")
        return tuple(class_folders(Path(roots[0])))
    return CLASS_NAMES[images.kind]


def all_class_names(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """Return the class names of every data set that a run or a corpus uses.

    Raises:
        InputError: one line per data set with an error.
    """
    names: dict[str, tuple[str, ...]] = {}
    errors = []
    for name in used_datasets(configuration):
        try:
            names[name] = class_names(name, configuration.datasets[name])
        except InputError as error:
            errors.append(one_line(str(error)))
    if errors:
        raise InputError("\n".join(errors))
    return names


def used_datasets(configuration: Configuration) -> list[str]:
    """Return the data sets that a run measures or that a model's corpus is taken from, without repeats."""
    used = [name for block in configuration.runs for name in block.datasets]
    for block in configuration.runs:
        clips = [configuration.clips[name] for name in block.clips]
        checkpoints = [
            configuration.generators[name].checkpoint for name in block.sources if name in configuration.generators
        ]
        methods = [configuration.methods[name] for name in block.methods]
        students = [configuration.students[method.student] for method in methods if isinstance(method, Vl2vAdip)]
        used += [model.corpus.dataset for model in (*clips, *checkpoints, *students) if model.kind == "pretrain"]
    return list(dict.fromkeys(used))
