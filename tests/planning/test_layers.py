"""Imports run downwards only, and no kind of method knows another one."""

import ast
from pathlib import Path

import workflow_scripts
from workflow_scripts.training.methods import PACKAGES

ROOT = Path(workflow_scripts.__path__[0])
LAYERS = (
    "common",
    "prompts",
    "real_images",
    "models",
    "generation",
    "inspection",
    "ensembling",
    "training",
    "evaluation",
    "selection",
    "report",
    "planning",
)
"""Every package, the lowest first."""


def imports() -> list[tuple[str, str]]:
    """Return each module of ours, and each module of ours that it imports, below the package."""
    pairs = []
    for path in ROOT.rglob("*.py"):
        module = str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
        names = [
            node.module
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module
        ]
        ours = (name.removeprefix("workflow_scripts.") for name in names if name.startswith("workflow_scripts."))
        pairs += [(module, name) for name in ours]
    return pairs


def test_every_package_has_its_layer() -> None:
    assert {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()} == set(LAYERS)


def test_imports_run_downwards() -> None:
    pairs = imports()
    assert len(pairs) > 300
    upwards = [
        (a, b) for a, b in pairs if a != "__init__" and LAYERS.index(a.split(".")[0]) < LAYERS.index(b.split(".")[0])
    ]
    assert upwards == []


def test_no_kind_of_method_knows_another_one() -> None:
    kinds = {f"training.{package}" for package in PACKAGES}
    across = [
        (a, b) for a, b in imports() for kind in kinds if b.startswith(f"{kind}.") and not a.startswith(f"{kind}.")
    ]
    assert across == []
