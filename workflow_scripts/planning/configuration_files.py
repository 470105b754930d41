"""From files and the command line to one configuration: what a file extends, and single values on top.

A configuration that names `runs` stands alone. Another file is built on only where `extends` says so, or where the
command line names several files: each is then as if it extended the one before. A named block (a data set, CLIP,
generator, student or method) that both hold is replaced whole, and so is every other key: what a block does not say has
its documented default, never another file's value.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import text_keys
from workflow_scripts.common.texts import dotted, one_line, shortened
from workflow_scripts.planning.configuration import EXTENDS, Configuration
from workflow_scripts.planning.plain_values import plain_value_errors

NAMED_BLOCKS = ("datasets", "clips", "generators", "students", "methods")
"""Keys whose values are blocks by name."""
SET = "set"
DEMO = "config.yaml"
MAX_EXTENDED = 50
"""Files that one file extends, directly or not, one after another."""

_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
"""What YAML 1.2 reads as a number and PyYAML, which reads YAML 1.1, as a text where it has no dot."""

Values = dict[str, Any]
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Layers:
    """A configuration put together from files: its values, which file each block is from, and what was replaced."""

    values: Values = field(default_factory=dict)
    origins: dict[Place, str] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """A loader of plain values that refuses a key that stands twice, reads every key as text and 3e-5 as a number."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Iterator[Values]:
    values: Values = {}
    yield values
    own = [(_key(key), value) for key, value in node.value if key.tag != _MERGE]
    for number, (key, _) in enumerate(own):
        if any(key == other for other, _ in own[:number]):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {shortened(repr(key))} stands twice", node.start_mark
            )
    # What is merged in by << stands under the block's own keys.
    loader.flatten_mapping(node)
    values.update({_key(key): loader.construct_object(value, deep=True) for key, value in node.value})


_MERGE = "tag:yaml.org,2002:merge"


def _key(node: yaml.Node) -> str:
    """Return a key as it is written: `no`, `1` and `010` are names here."""
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a key is no text", node.start_mark)
    return str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(f"^(?:{_EXPONENT.pattern})$"), list("-+.0123456789")
)


def load_configuration(*, files: Sequence[Path], workflow_folder: Path, changes: Mapping[str, Any]) -> Layers:
    """Return the configuration of some files, or of the demo if there is none, with the command line's changes.

    Args:
        files: configuration files, each as if it extended the one before.
        workflow_folder: the folder of the Snakefile: files to extend are looked for there, too.
        changes: what `--config` said, as Snakemake reads it: keys with values, and `set` with dotted keys.

    Raises:
        InputError: a file cannot be read or found, or the whole names no runs.
    """
    named = _Files(workflow_folder)
    for path in files or [workflow_folder / DEMO]:
        named.add(path, within=())
    layers = _one_over_the_other([*named.read.values()])
    if "runs" not in layers.values:
        names = ", ".join(str(path) for path in files)
        raise InputError(
            f"{names}: names no runs: add `name` and `runs`, or `extends: {DEMO}` to build on the demo's configuration"
        )
    return with_changes(layers, changes)


def module_configuration(config: Mapping[str, Any], *, workflow_folder: Path) -> Layers:
    """Return the configuration that the importer of this workflow as a module passes.

    It has no file: what it extends is looked for in the workflow's folder. The command line changes the importer's
    `config`, and Snakemake hands nested values over as texts: each is read as YAML reads it where such a value belongs.

    Raises:
        InputError: it holds what is no plain value, or extends what cannot be read or found.
    """
    if errors := plain_value_errors(config):
        raise InputError("\n".join(one_line(error) for error in errors))
    values = copy.deepcopy(dict(config))
    named = _Files(workflow_folder)
    named.add_extended(values, name="config", folders=[workflow_folder], within=())
    layers = _one_over_the_other([*named.read.values(), _layer(values, name="config")])
    readings = {place: _reading(text) for place, text in _texts(layers.values)}
    return Layers(_read(layers.values, readings), layers.origins, layers.replaced)


class _Files:
    """The files of a configuration in the order in which each counts over those before it, every one of them once.

    A file that two others extend lies below both, so that neither loses what it changed.
    """

    def __init__(self, workflow_folder: Path) -> None:
        """Take the folder of the Snakefile."""
        self.workflow_folder = workflow_folder
        self.read: dict[Path, Layers] = {}

    def add(self, path: Path, *, within: tuple[Path, ...]) -> None:
        """Read a file and, before it, what it extends."""
        resolved = path.expanduser().resolve()
        if resolved in within:
            circle = " -> ".join(each.name for each in (*within[within.index(resolved) :], resolved))
            raise InputError(f"{path}: {EXTENDS}: files extend each other in a circle ({circle})")
        if len(within) == MAX_EXTENDED:
            raise InputError(f"{path}: {EXTENDS}: more than {MAX_EXTENDED} files, one extending the other")
        if resolved in self.read:
            return
        values = _read_file(path)
        folders = [resolved.parent, self.workflow_folder]
        self.add_extended(values, name=str(path), folders=folders, within=(*within, resolved))
        self.read[resolved] = _layer(values, name=path.name)

    def add_extended(self, values: Values, *, name: str, folders: Sequence[Path], within: tuple[Path, ...]) -> None:
        """Take `extends` out of some values and read what it names."""
        entries = values.pop(EXTENDS, [])
        entries = [entries] if isinstance(entries, str) else entries
        if not isinstance(entries, list) or not all(isinstance(entry, str) and entry for entry in entries):
            raise InputError(f"{name}: {EXTENDS}: a file or a list of files is needed, not {shortened(repr(entries))}")
        found = {entry: _file_in(entry, folders) for entry in entries}
        if missing := [entry for entry, path in found.items() if path is None]:
            places = " or ".join(dict.fromkeys(str(folder) for folder in folders))
            raise InputError(
                "\n".join(f"{name}: {EXTENDS}: there is no file {shortened(repr(e))} in {places}" for e in missing)
            )
        for path in found.values():
            if path is not None:
                self.add(path, within=within)


def _file_in(entry: str, folders: Sequence[Path]) -> Path | None:
    try:
        return next((path for folder in folders if (path := folder / Path(entry).expanduser()).is_file()), None)
    except (OSError, RuntimeError):
        # No such user's home, a name that no file can have, a folder that may not be entered.
        return None


def _one_over_the_other(layers: Sequence[Layers]) -> Layers:
    whole = Layers()
    for layer in layers:
        whole = _over(whole, layer)
    return whole


def _read_file(path: Path) -> Values:
    try:
        text = path.expanduser().read_text(encoding="utf-8")
        values = yaml.load(text, _Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable configuration ({error})") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path}: not a configuration in YAML ({one_line(str(error))})") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: a map of blocks is needed, not {type(values).__name__}")
    if errors := plain_value_errors(values):
        raise InputError("\n".join(one_line(f"{path}: {error}") for error in errors))
    return values


def _layer(values: Values, *, name: str) -> Layers:
    return Layers(values, {place: name for place, _ in _blocks(values)})


def _blocks(values: Values) -> Iterator[tuple[Place, Any]]:
    """Yield what is replaced whole: each named block, and every other key."""
    for key, value in values.items():
        if key in NAMED_BLOCKS and isinstance(value, dict):
            yield from (((key, name), block) for name, block in value.items())
        else:
            yield (key,), value


def _over(under: Layers, over: Layers) -> Layers:
    values = {key: dict(value) if isinstance(value, dict) else value for key, value in under.values.items()}
    replaced = []
    for place, block in _blocks(over.values):
        if place in under.origins:
            replaced.append(f"{dotted(place)} of {under.origins[place]} by that of {over.origins[place]}")
        key, *name = place
        if name and isinstance(values.get(str(key)), dict):
            values[str(key)][name[0]] = block
        else:
            values[str(key)] = {name[0]: block} if name else block
    empty: Values = {key: {} for key in NAMED_BLOCKS if over.values.get(key) == {}}
    return Layers({**empty, **values}, under.origins | over.origins, (*under.replaced, *over.replaced, *replaced))


def with_changes(layers: Layers, changes: Mapping[str, Any]) -> Layers:
    """Return a configuration with the values of the command line.

    `--config KEY=VALUE` replaces as a file would; `--config 'set={methods.regft.epochs: 1}'` changes single values.
    Snakemake hands nested values over as texts: each is read as YAML reads it where such a value belongs there.

    Raises:
        InputError: a dotted key leads nowhere.
    """
    keys = {key: copy.deepcopy(value) for key, value in changes.items() if key != SET}
    single = changes.get(SET, {})
    if not isinstance(single, Mapping):
        raise InputError(f"--config {SET}: a map of dotted keys is needed, as in 'set={{methods.regft.epochs: 1}}'")
    if EXTENDS in keys:
        raise InputError(f"--config {EXTENDS}: only a file can extend another; name both files under --configfile")
    whole = _over(layers, _layer(keys, name="the command line"))
    values = copy.deepcopy(whole.values)
    places = [place for key in keys for place, _ in _texts(keys[key], (key,))]
    errors = _nested_errors(single)
    for key, value in single.items():
        try:
            place = _put(values, str(key), copy.deepcopy(value))
        except InputError as error:
            errors.append(str(error))
            continue
        places += [inner for inner, _ in _texts(value, place)]
    if errors:
        raise InputError("\n".join(errors))
    readings = {place: _reading(text) for place in places if isinstance(text := _at(values, place), str)}
    return Layers(_read(values, readings), whole.origins, whole.replaced)


def _nested_errors(single: Mapping[Any, Any]) -> list[str]:
    keys = [str(key) for key in single]
    return [
        f"--config {SET}: {shortened(key)}: {shortened(other)} is changed too, and holds it; give one of the two"
        for key in keys
        for other in keys
        if key.startswith(f"{other}.")
    ]


def _put(values: Values, key: str, value: Any) -> Place:
    """Put a value at a dotted key and return its place. Names may hold dots: the longest one that exists counts."""
    here: Any = values
    place: Place = ()
    parts = key.split(".")
    while True:
        count = next((n for n in range(len(parts), 0, -1) if _holds(here, ".".join(parts[:n]))), 1)
        step: str | int = ".".join(parts[:count])
        parts = parts[count:]
        if isinstance(here, list):
            if not str(step).isdecimal() or int(step) >= len(here):
                raise InputError(
                    f"--config {SET}: {shortened(key)}: {dotted(place)} has no entry {shortened(str(step))}"
                )
            step = int(step)
        elif place and place[0] in NAMED_BLOCKS and len(place) == 1 and step not in here:
            raise InputError(f"--config {SET}: {shortened(key)}: there is no block {dotted((*place, step))}")
        place = (*place, step)
        if not parts:
            here[step] = value
            return place
        if isinstance(here, dict) and here.get(str(step)) is None:
            here[step] = {}
        here = here[step]
        if not isinstance(here, dict | list):
            raise InputError(f"--config {SET}: {shortened(key)}: {dotted(place)} is a single value")


def _holds(here: Any, key: str) -> bool:
    return isinstance(here, dict) and key in here


def _at(values: Any, place: Place) -> Any:
    for step in place:
        values = values[step]
    return values


def _texts(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*place, key))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _texts(item, (*place, number))


def _reading(text: str) -> Any:
    """Return what YAML reads in a plain text: a number, a truth value, null, or the text itself."""
    try:
        value = yaml.load(text, _Loader) if text.strip() else text
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, bool | int | float) else text


def _read(values: Values, readings: Mapping[Place, Any]) -> Values:
    """Return values with texts replaced by their readings, but where the settings want the text: an alpha, a name."""
    if not readings:
        return values
    read = copy.deepcopy(values)
    texts = {place: _at(values, place) for place in readings}
    for place, value in readings.items():
        _at(read, place[:-1])[place[-1]] = value
    try:
        text = json.dumps(read, default=str)
        Configuration.model_validate_json(text)
    except ValidationError as error:
        wanted = text_keys(error, text)
        for place, original in texts.items():
            if any(f"{key}.".startswith(f"{dotted(place)}.") for key in wanted):
                _at(read, place[:-1])[place[-1]] = original
    return read
