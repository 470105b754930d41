"""Runs that are killed at random moments and taken up again end with the same bits as an undisturbed one."""

import random
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.fault_injection.injection import kill_tree, start, wait_for_job
from tests.workflow.harness import copy_project, digests, run, small_files

KILLS = 4
"""Kills of one case; the five cases together are twenty."""


class Stage(NamedTuple):
    """What is taken away before a run, so that it begins with this stage, and how late a kill may come (seconds)."""

    gone: tuple[str, ...]
    latest: float


STAGES = {
    "models": Stage((), 12.0),
    "generation": Stage(("shared/images/digits/digits-diffusion",), 6.0),
    "training": Stage(("small/runs/digits/digits-diffusion",), 4.0),
    "evaluation": Stage(("small/runs/**/scores*", "small/runs/**/metrics.csv"), 4.0),
    "report": Stage(("small/report",), 1.0),
}


def case(stage: str) -> Any:
    # One case is part of `make test`, the rest of `make test-full`.
    return pytest.param(stage, marks=[] if stage == "training" else [pytest.mark.full])


def project_before(stage: str, undisturbed: Path, target: Path) -> Path:
    """Return a project whose run begins with a stage: nothing is there for the models, all that comes before else."""
    if not STAGES[stage].gone:
        return copy_project(target)
    shutil.copytree(undisturbed, target)
    for path in [path for pattern in STAGES[stage].gone for path in (target / "results").glob(pattern)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return target


@pytest.mark.parametrize("stage", [case(stage) for stage in STAGES])
def test_a_run_that_is_killed_again_and_again_ends_the_same(stage: str, undisturbed: Path, tmp_path: Path) -> None:
    project = project_before(stage, undisturbed, tmp_path / "project")
    moments = random.Random(stage)
    killed = []
    for _ in range(KILLS):
        process = start(project)
        wait_for_job(process)
        time.sleep(moments.uniform(0.0, STAGES[stage].latest))
        assert process.poll() is None, "the run was over before it was killed"
        killed += kill_tree(process)
        assert run(project, *small_files(), "--unlock").returncode == 0
    assert [name for name in killed if name.startswith(stage)], f"no job of this stage was killed, only {killed}"
    result = run(project, *small_files())
    assert result.returncode == 0, result.stderr[-3000:]
    assert digests(project / "results") == digests(undisturbed / "results")
    assert not list((project / "results").rglob("checkpoint-*"))
    assert not list((project / "results").rglob(".*.part")), "temporary files of killed jobs stay for ever"
    assert "Nothing to be done" in run(project, *small_files()).stderr


def test_a_second_run_at_once_is_refused_and_the_first_goes_on(undisturbed: Path, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    first = start(project)
    try:
        while not list((project / ".snakemake/locks").glob("*")):
            assert first.poll() is None
        second = run(project, *small_files())
        assert second.returncode == 1
        assert "Error: Directory cannot be locked" in second.stderr
        assert "--unlock" in second.stderr
        assert first.poll() is None
    finally:
        kill_tree(first)
    # The killed run's lock is still there: what snakemake says names the way out, and `make resume` takes it.
    assert "--unlock" in run(project, *small_files()).stderr
