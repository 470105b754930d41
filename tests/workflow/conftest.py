"""One finished run of the digits preset, shared by all tests of the workflow."""

import shutil
from pathlib import Path

import pytest

from tests.workflow.harness import DIGITS, METHODS, project_with_recorder, run, run_readme_digits


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project in which the README's command for the digits task has run."""
    project = project_with_recorder(tmp_path_factory.mktemp("finished") / "project")
    result = run_readme_digits(project)
    assert result.returncode == 0, result.stderr[-5000:]
    return project


@pytest.fixture(scope="session")
def with_methods(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of that run in which every other kind of method has run too."""
    project = tmp_path_factory.mktemp("methods") / "project"
    shutil.copytree(finished, project, symlinks=True)
    result = run(project, "--configfile", str(project / DIGITS), str(METHODS))
    assert result.returncode == 0, result.stderr[-5000:]
    return project
