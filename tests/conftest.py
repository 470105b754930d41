"""What tests of the workflow, of clusters and of faults share."""

from collections.abc import Iterator

import pytest

from tests.workflow.harness import Planner


@pytest.fixture(scope="session")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    """Return a planner of dry runs."""
    found = Planner(tmp_path_factory.mktemp("planner"))
    yield found
    found.close()
