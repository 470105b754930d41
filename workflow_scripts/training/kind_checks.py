"""Whether a kind's package holds what a kind must have, looked at when the registry is read."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from workflow_scripts.common.run_files import METADATA, TRAINING_LOG
from workflow_scripts.training.method_settings import Input, Method

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.[a-z0-9]+")
_RESERVED = (METADATA, TRAINING_LOG, "metrics.csv", "scores.parquet")
_ENDPOINTS = (("pretrained",), ("finetuned",), ("pretrained", "finetuned"))
_FOLDER = Path(__file__).parent


def kind_errors(package: str, settings: type[Method]) -> Iterator[str]:
    """Yield what is wrong with a kind: the file of its package, and what belongs there.

    Args:
        package: its name below `training`.
        settings: its settings class.
    """
    where = f"training/{package}"
    for name in ("__init__.py", "__main__.py"):
        if not (_FOLDER / package / name).is_file():
            yield f"{where}: no {name}"
    key = f"{where}/settings.py: {settings.__name__}"
    # Without ClassVar, what the class says of itself would be a key of the configuration instead.
    shadowed = [name for name in settings.model_fields if name in vars(Method) and name not in Method.model_fields]
    yield from (f"{key}.{name}: a name of Method's own; declare it as ClassVar, or choose another" for name in shadowed)
    if not shadowed:
        yield from _class_errors(key, settings)


def _class_errors(key: str, settings: type[Method]) -> Iterator[str]:
    unknown = [name for name in settings.inputs if name not in get_args(Input)]
    if unknown:
        yield f"{key}.inputs: {unknown[0]!r} is not one of {', '.join(get_args(Input))}"
    if settings.endpoints not in _ENDPOINTS:
        yield f"{key}.endpoints: must be one of {', '.join(map(str, _ENDPOINTS))}"
    artifacts = settings.artifacts
    if not artifacts or isinstance(artifacts, str) or len(set(artifacts)) < len(artifacts):
        yield f"{key}.artifacts: must be a tuple of one or more names of files, each once"
        return
    for name in artifacts:
        if not _FILE.fullmatch(name) or name in _RESERVED or name.startswith("checkpoint-"):
            yield f"{key}.artifacts: {name!r} must be a plain name as 'cache.safetensors', none of the workflow's own"
    if not (_FOLDER.parent / f"{settings.classifier.replace('.', '/')}.py").is_file():
        yield f"{key}.classifier: there is no module {settings.classifier!r}"
