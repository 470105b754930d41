"""What tests of the workflow, of clusters and of fault injection share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.harness import Planner, copy_project, run, small_files

RUNS = ("finished", "undisturbed")
"""Fixtures that run a whole workflow."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that run side by side stay with those of their file, and files with those that need the same run."""
    needed = {item.path: run for item in items for run in RUNS if run in getattr(item, "fixturenames", ())}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(needed.get(item.path, str(item.path))))


@pytest.fixture(scope="session")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    """Return a planner of dry runs."""
    planner = Planner(tmp_path_factory.mktemp("planner"))
    yield planner
    planner.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which the smallest configuration has run once, undisturbed: what others are compared with."""
    project = copy_project(tmp_path_factory.mktemp("undisturbed") / "project")
    result = run(project, *small_files())
    assert result.returncode == 0, result.stderr[-5000:]
    return project
