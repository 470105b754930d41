"""One undisturbed run of the smallest configuration, which every fault's outcome is compared with."""

from pathlib import Path

import pytest

from tests.faults.blows import files_of
from tests.workflow.harness import copy_project, run


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which everything has run once."""
    project = copy_project(tmp_path_factory.mktemp("undisturbed") / "project")
    result = run(project, *files_of(project))
    assert result.returncode == 0, result.stderr[-5000:]
    return project
