"""Parts that registries name: looked at before any job, so that none is missed after the trainings."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from workflow_scripts.common.checkpoint_layout import TEXT_TO_IMAGE, WEIGHTS
from workflow_scripts.common.image_checks.registry import CHECKS
from workflow_scripts.common.selection_file import LooksAt
from workflow_scripts.evaluation.metrics.registry import METRICS
from workflow_scripts.generation.drawers.registry import DRAWERS
from workflow_scripts.report.figures.registry import FIGURES
from workflow_scripts.selection.pickers.registry import KINDS as PICKERS

_ROOT = Path(__file__).resolve().parents[1]

PARTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "common.image_checks": (CHECKS, "CHECK"),
    "evaluation.metrics": (METRICS, "METRIC"),
    "generation.drawers": (tuple(DRAWERS), "DRAWER"),
    "report.figures": (FIGURES, "FIGURE"),
}
"""Of each package the modules that its registry names, and what each must offer."""


def modules_of(package: str, *names: str) -> list[str]:
    """Return modules of a package that an entry point loads by name: its digest must be told.

    Args:
        package: below our own, as in `report.figures`.
        names: which; all that its registry names if none are given.
    """
    return [f"{package}.{name}" for name in names or PARTS[package][0]]


@cache
def part_errors() -> list[str]:
    """Return a line per error of a registry: a name twice or without a module, or a module that lacks its part."""
    errors = []
    for package, (names, offers) in PARTS.items():
        folder = package.replace(".", "/")
        errors += [f"{folder}/registry.py: {name!r} stands there twice" for name in _repeated(names)]
        for name in dict.fromkeys(names):
            path = _ROOT / folder / f"{name}.py"
            if not path.is_file():
                errors.append(f"{folder}/registry.py: {name!r} has no module {folder}/{name}.py")
            elif offers not in _bound(path):
                errors.append(f"{folder}/{name}.py: has no {offers}")
    errors += [
        f"generation/drawers/registry.py: {layout!r} of {name!r} must be {TEXT_TO_IMAGE!r} or {WEIGHTS!r}"
        for name, layout in DRAWERS.items()
        if layout not in (TEXT_TO_IMAGE, WEIGHTS)
    ]
    errors += [
        f"selection/pickers/{name}.py: looks_at must be a ClassVar, a tuple of {', '.join(get_args(LooksAt))}"
        for name, picker in PICKERS.items()
        if "looks_at" in picker.model_fields
        or not isinstance(picker.looks_at, tuple)
        or not set(picker.looks_at) <= set(get_args(LooksAt))
    ]
    return errors


def _repeated(names: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(name for name in names if names.count(name) > 1))


def _bound(path: Path) -> set[str]:
    return set(_names(ast.parse(path.read_bytes())))


def _names(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id
