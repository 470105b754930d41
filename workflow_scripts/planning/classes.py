"""The class names of a data set, resolved before any job."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from workflow_scripts.common.class_names import read_class_names, validated_class_names
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.texts import one_line
from workflow_scripts.planning.configuration import Configuration, Dataset
from workflow_scripts.planning.used_blocks import used_datasets


def class_names(name: str, dataset: Dataset) -> tuple[str, ...]:
    """Return a data set's class names in label order: as configured, the data set's own, or its folders' names.

    Raises:
        InputError: names are refused, they cannot be read, or their number does not fit the data set.
    """
    key, read = _origin(f"datasets.{name}", dataset)
    try:
        names = validated_class_names(tuple(read()))
    except InputError as error:
        raise InputError(f"{key}: {error}") from None
    own = dataset.images.class_names()
    if own is not None and own.count not in (None, len(names)):
        kind = dataset.images.kind
        raise InputError(f"datasets.{name}.classes: {len(names)} names, but {kind} has {own.count} classes")
    return names


def _origin(key: str, dataset: Dataset) -> tuple[str, Callable[[], Iterable[str]]]:
    """Return the key that says where class names come from, and what reads them there."""
    names = dataset.classes
    if names is not None:
        return key, lambda: names
    if dataset.classes_file is not None:
        return f"{key}.classes_file", partial(read_class_names, Path(dataset.classes_file))
    own = dataset.images.class_names()
    if own is None:
        raise InputError(f"{key}: its images name no classes; give classes or classes_file")
    return f"{key}.images.{own.key}" if own.key else key, own.read


def all_class_names(configuration: Configuration) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return the class names of every data set that a run or a corpus uses, and a line per data set that has none."""
    names: dict[str, tuple[str, ...]] = {}
    errors = []
    for name in used_datasets(configuration):
        try:
            names[name] = class_names(name, configuration.datasets[name])
        except InputError as error:
            errors.append(one_line(str(error)))
    return names, errors
