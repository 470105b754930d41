"""Runs that are killed at random moments and taken up again end with the same bits as an undisturbed one."""

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.faults.blows import kill_tree, start
from tests.workflow.harness import copy_project, digests, run, small_files

KILLS = 4
"""Kills of one case; the five cases together are twenty."""


def case(number: int) -> Any:
    # One case is part of `make test`, the rest of `make faults`.
    return pytest.param(number, marks=[pytest.mark.faults] if number else [])


@pytest.mark.parametrize("number", [case(number) for number in range(5)])
def test_a_run_that_is_killed_again_and_again_ends_the_same(number: int, undisturbed: Path, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    moments = random.Random(number)
    killed = 0
    for _ in range(KILLS):
        process = start(project)
        try:
            process.communicate(timeout=moments.uniform(3.0, 16.0))
        except subprocess.TimeoutExpired:
            killed += kill_tree(process) > 0
        assert run(project, *small_files(project), "--unlock").returncode == 0
    assert killed >= 2
    result = run(project, *small_files(project))
    assert result.returncode == 0, result.stderr[-3000:]
    assert digests(project / "results") == digests(undisturbed / "results")
    assert not list((project / "results").rglob("checkpoint-*"))
    assert not list((project / "results").rglob(".*.part")), "temporary files of killed jobs stay for ever"
    assert "Nothing to be done" in run(project, *small_files(project)).stderr


def test_a_second_run_at_once_is_refused_and_the_first_goes_on(undisturbed: Path, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    first = start(project)
    try:
        while not list((project / ".snakemake/locks").glob("*")):
            assert first.poll() is None
        second = run(project, *small_files(project))
        assert second.returncode == 1
        assert "Error: Directory cannot be locked" in second.stderr
        assert "--unlock" in second.stderr
        assert first.poll() is None
    finally:
        kill_tree(first)
    # The killed run's lock is still there: what snakemake says names the way out, and `make resume` takes it.
    assert "--unlock" in run(project, *small_files(project)).stderr
