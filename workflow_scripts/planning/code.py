"""Digests of code: which modules an entry point imports, read from the source, and what they contain."""

import ast
import hashlib
from functools import cache
from pathlib import Path

from workflow_scripts.common.errors import InputError

PACKAGE = "workflow_scripts"
_ROOT = Path(__file__).resolve().parents[2]
_NOT_DATA = {".py", ".pyc"}


@cache
def code_of(*entries: str) -> str:
    """Return one digest over all files of ours that an entry point can run.

    Args:
        entry: the entry point below the package, as in `training.train_finetune`.

    Raises:
        InputError: there is no such module, or one of its modules imports relatively.
    """
    digest = hashlib.sha256()
    for path in sorted({path for entry in entries for path in files_of(f"{PACKAGE}.{entry}")}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_ROOT)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


@cache
def files_of(module: str) -> tuple[Path, ...]:
    """Return the files behind a module: itself, what it imports of ours, their packages and the data these ship."""
    path = _path_of(f"{module}.__main__") or _path_of(module)
    if path is None:
        raise InputError(f"{module}: no such module")
    modules: set[Path] = set()
    _collect(path, modules)
    packages = {parent for path in modules for parent in path.parents if parent.is_relative_to(_ROOT / PACKAGE)}
    initial = {package / "__init__.py" for package in packages}
    data = {item for path in modules for item in _data_of(path.parent)}
    return tuple(sorted(modules | initial | data))


def _collect(path: Path, collected: set[Path]) -> None:
    if path not in collected:
        collected.add(path)
        for imported in _imports_of(path):
            _collect(imported, collected)


@cache
def _imports_of(path: Path) -> frozenset[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise InputError(f"{path}:{node.lineno}: relative imports are not followed; write the full name")
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    ours = (_path_of(name) for name in names if name.split(".")[0] == PACKAGE)
    return frozenset(path for path in ours if path is not None)


def _path_of(module: str) -> Path | None:
    path = _ROOT.joinpath(*module.split("."))
    if path.is_dir():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


@cache
def _data_of(package: Path) -> frozenset[Path]:
    files = (path for path in package.iterdir() if path.is_file() and not path.name.startswith("."))
    return frozenset(path for path in files if path.suffix not in _NOT_DATA)
