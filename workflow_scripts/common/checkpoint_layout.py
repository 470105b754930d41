"""Whether a folder is the checkpoint that it should be: its files, its configurations and its weights' headers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflow_scripts.common.checkpoint_files import (
    CLIP_FILES,
    OPEN_CLIP_CONFIG,
    PIPELINE_INDEX,
    STUDENT_FILES,
    TIMM_CONFIG,
    pipeline_components,
)
from workflow_scripts.common.errors import InputError, errors_of
from workflow_scripts.common.files import folder_entries
from workflow_scripts.common.remote_code import read_configuration, remote_code_errors
from workflow_scripts.common.safetensors_header import read_safetensors_header

FORMATS = {"clip": ("open_clip", CLIP_FILES), "student": ("timm", STUDENT_FILES)}
"""Models of one component: whose format they have, and the files that they need."""
TEXT_TO_IMAGE = "text-to-image"
WEIGHTS = "weights"
"""Any configurations and safetensors, which whoever reads them must understand."""

_CONTENT = "the files of a checkpoint"
_PICKLES = (".bin", ".ckpt", ".pt", ".pth")
_SAFETENSORS = ".safetensors"
_KEYS: dict[str, dict[str, type]] = {
    OPEN_CLIP_CONFIG: {"model_cfg": dict},
    TIMM_CONFIG: {"architecture": str, "pretrained_cfg": dict},
}
"""What the configuration of a single model must say, and as what."""
_COMPONENT_CONFIG = "config.json"
_WEIGHTS = {"diffusers": ("diffusion_pytorch_model.safetensors",), "transformers": ("model.safetensors",)}
"""The weights that each library looks for in the folder of a component."""
_ALL_WEIGHTS = tuple(name for names in _WEIGHTS.values() for name in names)
_LATENT_PARTS = ("transformer", "vae")
"""Components that say how large a latent is, and how many pixels become one of its places."""
_SHARD_INDEX = ".index.json"
_NOT_NETWORKS = {
    "Tokenizer": "tokenizer_config.json",
    "TokenizerFast": "tokenizer_config.json",
    "Backend": "tokenizer_config.json",
    "Scheduler": "scheduler_config.json",
    "Processor": "preprocessor_config.json",
    "FeatureExtractor": "preprocessor_config.json",
}
"""What the names of components without weights end with, and the file that they are made from. Transformers' newest
tokenizers are called backends."""


def layout_errors(folder: Path, *, what: str) -> list[str]:
    """Return a line per error of a checkpoint's folder that the names of its files or its configurations show.

    These are: the folder or a file is missing, weights are pickles only, or a configuration is no JSON or asks for
    code of its own.

    Args:
        folder: the checkpoint's folder.
        what: `clip` (open_clip's configuration and safetensors), `student` (timm's), `text-to-image` (a diffusers
            pipeline) or `weights` (any safetensors).
    """
    if errors := errors_of(folder_entries, folder, content=_CONTENT):
        return errors
    missing = _missing_files(folder, what) if what in FORMATS else _missing_parts(folder, what)
    return list(dict.fromkeys([*remote_code_errors(folder), *missing]))


def content_errors(folder: Path, *, what: str, unused: tuple[str, ...] = ()) -> list[str]:
    """Return a line per error inside a checkpoint's files: what configurations leave out, weights that are not whole.

    What `layout_errors` reports is passed over.

    Args:
        folder: the checkpoint's folder.
        what: as for `layout_errors`.
        unused: components of a pipeline that are not loaded.
    """
    if errors_of(folder_entries, folder, content=_CONTENT):
        return []
    if what in FORMATS:
        return list(_single_model_errors(folder, FORMATS[what][1]))
    if what == WEIGHTS:
        weights = sorted(files_below(folder, f"*{_SAFETENSORS}"))
        return [error for path in weights for error in errors_of(read_safetensors_header, path)]
    return list(_pipeline_errors(folder, unused))


def label_names(folder: Path) -> list[str]:
    """Return what the outputs of a network of timm stand for.

    Raises:
        InputError: its configuration is not readable, or does not say it.
    """
    path = folder / TIMM_CONFIG
    names = read_configuration(path).get("label_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{path}: names no classes (`label_names`); a judge must say what its outputs stand for")
    return names


def only_size(pipeline: Path) -> int | None:
    """Return the height and width in pixels that a pipeline of diffusers can draw, if there is but one.

    So it is where a transformer sees the whole latent as one patch. None, too, where the configurations do not say it.
    """
    transformer, autoencoder = (_configuration(pipeline / part / _COMPONENT_CONFIG) or {} for part in _LATENT_PARTS)
    patch, channels = transformer.get("patch_size"), autoencoder.get("block_out_channels")
    if not isinstance(patch, int) or patch != transformer.get("sample_size") or not isinstance(channels, list):
        return None
    return int(patch * 2 ** (len(channels) - 1))


def files_below(folder: Path, pattern: str) -> list[Path]:
    """Return the files below a folder that fit a pattern, without hidden ones (what a download left, git's own)."""
    return [path for path in folder.rglob(pattern) if not _hidden(path, folder)]


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _missing_files(folder: Path, what: str) -> Iterator[str]:
    library, needed = FORMATS[what]
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES)
    for name in needed:
        if (folder / name).is_file():
            continue
        if pickles and name.endswith(_SAFETENSORS):
            yield f"{folder}: no {name}, but {pickles[0]}; only safetensors are read, pickles never: convert it first"
        else:
            yield f"{folder}: no {name}; a {what} checkpoint in {library}'s format is {' and '.join(needed)}"


def _missing_parts(folder: Path, what: str) -> Iterator[str]:
    if what == TEXT_TO_IMAGE and not (folder / PIPELINE_INDEX).is_file():
        yield f"{folder}: no {PIPELINE_INDEX}; a text-to-image checkpoint is a diffusers folder"
    elif not files_below(folder, f"*{_SAFETENSORS}"):
        yield f"{folder}: no safetensors in it; pickled weights are never loaded, convert them first"
    else:
        # Otherwise a pipeline with one pickled component would be declared well and fail hours later, when it is
        # loaded.
        for component in sorted({path.parent for path in folder.glob("*/*") if path.suffix in _PICKLES}):
            if not _hidden(component, folder) and _only_pickles(component):
                yield f"{component}: only pickled weights, which are never loaded; convert them to safetensors first"


def _only_pickles(component: Path) -> bool:
    suffixes = {path.suffix for path in component.iterdir()}
    return _SAFETENSORS not in suffixes and not suffixes.isdisjoint(_PICKLES)


def _configuration(path: Path) -> dict[str, Any] | None:
    try:
        return read_configuration(path)
    except InputError:
        return None


def _single_model_errors(folder: Path, needed: tuple[str, ...]) -> Iterator[str]:
    for path in (folder / name for name in needed):
        if not path.is_file():
            continue
        if path.suffix == _SAFETENSORS:
            yield from errors_of(read_safetensors_header, path)
        elif (config := _configuration(path)) is not None:
            wanted = _KEYS[path.name].items()
            missing = [key for key, kind in wanted if not isinstance(config.get(key), kind) or not config[key]]
            yield from (f"{path}: says no {key}; get the checkpoint again" for key in missing)


def _pipeline_errors(folder: Path, unused: tuple[str, ...]) -> Iterator[str]:
    index = folder / PIPELINE_INDEX
    content = _configuration(index)
    if content is None:
        return
    if not isinstance(content.get("_class_name"), str):
        yield f"{index}: says no _class_name; get the checkpoint again"
    some_weights = bool(files_below(folder, f"*{_SAFETENSORS}"))
    for name, entry in pipeline_components(content).items():
        if name in unused:
            continue
        if len(entry) != 2 or not all(isinstance(part, str) for part in entry):
            yield f"{index}: {name} is not [library, class]; get the checkpoint again"
            continue
        library, kind = entry
        errors = errors_of(folder_entries, folder / name, content=f"the {kind}")
        needed = next((file for ending, file in _NOT_NETWORKS.items() if kind.endswith(ending)), None)
        if not errors and needed is not None and not (folder / name / needed).is_file():
            errors = [f"{folder / name}: no {needed}; get the checkpoint again"]
        if not errors and needed is None and some_weights and not _only_pickles(folder / name):
            errors = list(_network_errors(folder / name, _WEIGHTS.get(library, _ALL_WEIGHTS)))
        yield from errors


def _network_errors(component: Path, names: tuple[str, ...]) -> Iterator[str]:
    if not (component / _COMPONENT_CONFIG).is_file():
        yield f"{component}: no {_COMPONENT_CONFIG}; get the checkpoint again"
    indices = [path for name in names if (path := component / f"{name}{_SHARD_INDEX}").is_file()]
    weights = [path for name in names if (path := component / name).is_file()]
    for index in indices:
        shards = (_configuration(index) or {}).get("weight_map")
        if isinstance(shards, dict) and all(isinstance(shard, str) for shard in shards.values()):
            weights += [component / shard for shard in sorted(set(shards.values()))]
        else:
            yield f"{index}: not an index of weights; get the checkpoint again"
    for path in weights:
        yield from errors_of(read_safetensors_header, path)
    if not indices and not weights:
        others = sorted(path.name for path in component.glob(f"*{_SAFETENSORS}"))
        found = f", but {others[0]}; a folder's weights are read without a variant: rename it" if others else ""
        yield f"{component}: no {' or '.join(names)}{found or '; get the checkpoint again'}"
