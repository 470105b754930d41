"""What tests of the workflow, of clusters and of fault injection share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.harness import Planner, copy_project, run, small_files

RUNS = ("finished", "undisturbed")
"""Fixtures that run a whole workflow, in minutes."""
LONGEST = (*RUNS, str(Path(__file__).parent / "workflow/test_added_parts.py"))
"""Groups of tests that begin, in this order."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one of the processes have all that needs the same run of the workflow, and all that is in one file."""
    finished, undisturbed = RUNS
    files = {item.path for item in items if undisturbed in _fixtures_of(item)}
    groups = {
        item: finished if finished in _fixtures_of(item) else undisturbed if item.path in files else str(item.path)
        for item in items
    }
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: LONGEST.index(groups[item]) if groups[item] in LONGEST else len(LONGEST))


def _fixtures_of(item: pytest.Item) -> list[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else []


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
