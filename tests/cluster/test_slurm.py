"""The workflow on a real SLURM: resources as declared, results as on the local machine, nothing lost when jobs die."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.throwaway import Slurm, missing, throwaway_slurm
from tests.workflow.harness import SNAKEMAKE, Planner, copy_project, digests, small_configuration, small_files

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

RUN = "results/small/runs/digits/digits-diffusion/digits-clip/regft/seed0"
LOCAL = {
    "write_class_names",
    "write_generation_prompts",
    "write_head_prompts",
    "convert_real_images",
    "collect_real_images",
    "collect_generated_images",
    "compute_metrics",
    "select_alpha",
    "draw_figures",
    "write_page",
}
DECLARED = {
    "pretrain_clip": (4000, 60),
    "pretrain_autoencoder": (4000, 60),
    "pretrain_text_to_image": (6000, 120),
    "build_zero_shot_head": (4000, 30),
    "generate_images": (6000, 240),
    "train_finetune": (8000, 240),
    "score_images": (6000, 120),
}
"""Memory in MB and minutes of every rule that goes to the cluster; each asks for one GPU."""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    with throwaway_slurm(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


def command(project: Path) -> list[str]:
    options = ["--workflow-profile", str(project / "profiles/slurm"), "--slurm-no-account"]
    # As on a cluster without an accounting database; everything else is the profile's.
    options += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "12"]
    options += ["--latency-wait", "5", "--slurm-keep-successful-logs"]
    where = ["--snakefile", str(project / "Snakefile"), "--directory", str(project)]
    return [str(SNAKEMAKE), *where, *options, *small_files()]


def submit(project: Path, slurm: Slurm) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(project), env=slurm.environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def on_cluster(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("cluster") / "project")
    result = submit(project, slurm)
    assert result.returncode == 0, result.stderr[-5000:]
    return project


def rule_of(job: dict[str, str]) -> str:
    return next(part for part in Path(job["StdOut"]).parts if part.startswith("rule_")).removeprefix("rule_")


def test_every_job_has_what_its_rule_declares(on_cluster: Path, slurm: Slurm) -> None:
    seen: dict[str, set[tuple[str, str, str, str]]] = {}
    for job in slurm.jobs():
        hours, minutes, _ = job["TimeLimit"].split(":")[-3:]
        days = int(job["TimeLimit"].split("-")[0]) if "-" in job["TimeLimit"] else 0
        limit = days * 1440 + int(hours.split("-")[-1]) * 60 + int(minutes)
        key = (job["TresPerJob"], job["MinMemoryNode"], str(limit), job["JobState"])
        seen.setdefault(rule_of(job), set()).add(key)
    expected = {
        rule: {("gres:gpu:1", f"{memory}M", str(minutes), "COMPLETED")} for rule, (memory, minutes) in DECLARED.items()
    }
    assert seen == expected
    assert not LOCAL & set(seen)
    assert {job["NodeList"] for job in slurm.jobs()} == {"one", "two"}


def test_results_are_those_of_a_local_run(on_cluster: Path, undisturbed: Path, planner: Planner) -> None:
    measured, expected = digests(on_cluster / "results"), digests(undisturbed / "results")
    assert len(expected) > 20
    assert measured == expected
    # And either one goes on from the other's results.
    assert planner.plan(on_cluster, small_configuration()) == {}


def test_a_second_run_does_nothing(on_cluster: Path, slurm: Slurm) -> None:
    before = len(slurm.jobs())
    again = submit(on_cluster, slurm)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr
    assert len(slurm.jobs()) == before


# After a node died SLURM waits two minutes before it starts the job again: `make test-full`.
@pytest.mark.parametrize("fault", ["scancel", pytest.param("node down", marks=pytest.mark.full)])
def test_a_training_that_is_killed_is_tried_again(on_cluster: Path, slurm: Slurm, fault: str) -> None:
    before = digests(on_cluster / "results")
    shutil.rmtree(on_cluster / RUN)
    process = subprocess.Popen(
        command(on_cluster), env=slurm.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    job = slurm.wait_for("train_finetune", seconds=90)
    if fault == "scancel":
        slurm.ask("scancel", job["JobId"])
    else:
        slurm.ask("scontrol", "update", f"NodeName={job['NodeList']}", "State=DOWN", "Reason=test")
        slurm.ask("scontrol", "update", f"NodeName={job['NodeList']}", "State=RESUME")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-5000:]
    trainings = [each for each in slurm.jobs() if rule_of(each) == "train_finetune"]
    requeued = [each for each in trainings if each["JobId"] == job["JobId"] and each["Restarts"] != "0"]
    assert requeued or [each["JobState"] for each in trainings if each["JobId"] == job["JobId"]] != ["COMPLETED"]
    assert digests(on_cluster / "results") == before
