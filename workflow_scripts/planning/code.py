"""Digests of code: which modules an entry point imports, read from the source, and what they tell Python."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from workflow_scripts.common.errors import InputError
from workflow_scripts.planning.syntax import Syntax, syntax_of

PACKAGE = "workflow_scripts"
_ROOT = Path(__file__).resolve().parents[2]
_START = f"{PACKAGE}.run_entry_point"
"""What starts every entry point, and counts with each."""
_NOT_DATA = {".py", ".pyc"}

WITHOUT_RESULT = {
    "common.errors": "the error that refuses something: a job that ends with it has no result",
    "common.logs": "the log, and progress bars, which hand on what they count as it is",
    "common.texts": "how errors show a text, and which texts are refused: those that are not stay as they are",
}
"""Modules that jobs import and that no digest covers, each with the reason why no result depends on it.

What they import is covered.
"""


@cache
def code_of(entry: str, *others: str) -> str:
    """Return one digest over all code and data of ours that entry points can run.

    Args:
        entry: an entry point below the package, as in `evaluation.score_images`; a package is run by its `__main__`.
        others: further ones, whose files count with it; their order does not matter.

    Raises:
        InputError: there is no such module, or one of its modules imports relatively.
    """
    digest = hashlib.sha256()
    for path in sorted({path for name in (entry, *others) for path in files_of(f"{PACKAGE}.{name}")}):
        digest.update(f"{path.relative_to(_ROOT)} {_digest_of(path)}\n".encode())
    return digest.hexdigest()[:16]


@cache
def files_of(module: str) -> tuple[Path, ...]:
    """Return the files that count for what is run as a module, sorted.

    These are its own, those of what it imports of ours, of all their packages, and the data that these ship, without
    those of `WITHOUT_RESULT`; and what starts it.

    Args:
        module: the module's whole name, as in `workflow_scripts.evaluation.score_images`.

    Raises:
        InputError: there is no such module, or one of its modules imports relatively.
    """
    modules: set[Path] = set()
    for run in (module, _START):
        _collect(_entry_path(run), modules)
    data = {item for path in modules for item in _data_of(path.parent)}
    return tuple(sorted((modules | data) - _without_result()))


def _entry_path(module: str) -> Path:
    path = _path_of(f"{module}.__main__") or _path_of(module)
    if path is None:
        raise InputError(f"{module}: no such module")
    return path


def _collect(path: Path, collected: set[Path]) -> None:
    if path not in collected:
        collected.add(path)
        for used in _used_by(path):
            _collect(used, collected)


@cache
def _used_by(path: Path) -> frozenset[Path]:
    """Return the files of the packages that a module lies in, which run before it, and of the modules it imports."""
    packages = {parent / "__init__.py" for parent in path.parents if parent.is_relative_to(_ROOT / PACKAGE)}
    imported = (_path_of(name) for name in _imported_names(path) if name.split(".")[0] == PACKAGE)
    return frozenset(packages).union(path for path in imported if path is not None)


def _imported_names(path: Path) -> Iterator[str]:
    for statement in _syntax_of(path).imports:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif statement.level:
            raise InputError(f"{path}:{statement.lineno}: relative imports are not followed; write the full name")
        else:
            yield str(statement.module)
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


@cache
def _path_of(module: str) -> Path | None:
    path = _ROOT.joinpath(*module.split("."))
    if path.is_dir():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


@cache
def _data_of(package: Path) -> frozenset[Path]:
    files = (path for path in package.iterdir() if path.is_file() and not path.name.startswith("."))
    return frozenset(path for path in files if path.suffix not in _NOT_DATA)


@cache
def _without_result() -> frozenset[Path]:
    return frozenset(_entry_path(f"{PACKAGE}.{module}") for module in WITHOUT_RESULT)


@cache
def _syntax_of(path: Path) -> Syntax:
    return syntax_of(path.read_bytes(), name=str(path))


@cache
def _digest_of(path: Path) -> str:
    content = _syntax_of(path).text.encode() if path.suffix == ".py" else path.read_bytes()
    return hashlib.sha256(content).hexdigest()
