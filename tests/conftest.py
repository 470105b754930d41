"""What tests of the workflow, of clusters and of faults share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.workflow.harness import Planner, copy_project, run, small_files

SHARED_RUNS = {"tests/workflow/": "finished", "tests/cluster/": "undisturbed", "tests/faults/": "undisturbed"}
"""The finished run that the tests of a folder share; it takes a minute or two."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that pytest-xdist's processes end at about the same time."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/workflow/"))


class BySharedRun(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the tests of a file, and all that share a finished run, in one of pytest-xdist's processes."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = nodeid.partition("::")[0]
        return next((run for folder, run in SHARED_RUNS.items() if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySharedRun:
    """Spread tests over pytest-xdist's processes."""
    return BySharedRun(config, log)


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
