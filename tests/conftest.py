"""What tests of the workflow, of clusters and of faults share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.harness import Planner, copy_project, run, small_files

FINISHED_RUNS = ("finished", "undisturbed")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests, and all files that share a finished run, in one process of pytest-xdist; longest first."""
    run_of = {item.path: run for item in items for run in FINISHED_RUNS if run in getattr(item, "fixturenames", ())}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(run_of.get(item.path, item.path.stem)))
    items.sort(key=lambda item: item.path not in run_of)


@pytest.fixture(scope="session")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    """Return a planner of dry runs."""
    found = Planner(tmp_path_factory.mktemp("planner"))
    yield found
    found.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which the smallest configuration has run once, undisturbed: what others are compared with."""
    project = copy_project(tmp_path_factory.mktemp("undisturbed") / "project")
    result = run(project, *small_files(project))
    assert result.returncode == 0, result.stderr[-5000:]
    return project
