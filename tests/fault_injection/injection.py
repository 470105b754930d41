"""Faults to inject into a run: its whole process tree is killed, its training gets a signal, its disk is full."""

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.workflow.harness import ROOT, SNAKEMAKE, locations, small_configuration, small_files

WHERE = locations(small_configuration())
RUN = "results/small/runs/digits/digits-diffusion/digits-clip/regft/seed0"
IMAGES = WHERE.image_manifest("digits", "digits-diffusion", "photo")
SHARD = WHERE.shards("digits", "digits-diffusion", "photo")[0]
CLIP = WHERE.model_manifest("digits-clip")
HEAD = "results/small/runs/digits/none/digits-clip/zero-shot/seed0/head.safetensors"


def start(project: Path) -> "subprocess.Popen[str]":
    """Start a run of the smallest configuration."""
    command = [str(SNAKEMAKE), "--cores", "2", "--snakefile", str(project / "Snakefile"), "--directory", str(project)]
    return subprocess.Popen(
        [*command, *small_files()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/"
    )


def kill_tree(process: "subprocess.Popen[str]") -> list[str]:
    """Kill a process and all it started, at once and without a chance to clean up; return the jobs that were killed.

    A job is named by its entry point, as in `training.finetune`.
    """
    tree = _tree(process)
    for member in tree:
        member.suspend()
    killed = [name for member in tree for name in _entries(member)]
    for member in tree:
        member.kill()
    process.communicate()
    return killed


def wait_for_job(process: "subprocess.Popen[str]") -> None:
    """Wait until a run's first job runs, or the run is over."""
    while process.poll() is None and not any(_entries(member) for member in _tree(process)):
        time.sleep(0.05)


def _tree(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    try:
        return [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        return []


def _entries(member: psutil.Process) -> list[str]:
    try:
        words = member.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
    # The shell between Snakemake and a job has the whole command as one word.
    return [word for start, word in itertools.pairwise(words) if start.endswith("/run_entry_point.py")]


def entry(name: str, *arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    """Start an entry point without Snakemake."""
    command = [sys.executable, "-m", f"workflow_scripts.{name}", *arguments]
    return subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={"PYTHONPATH": str(ROOT)}
    )


def finetune_arguments(output: Path, **changes: Any) -> list[str]:
    """Return the arguments of a training on the smallest configuration's images, from its folder."""
    method = {"kind": "finetune", "batch_size": 16, "variance_weight": 0.16, "covariance_weight": 0.02, **changes}
    return [
        *("--settings", json.dumps({"method": method, "seed": 0})),
        *("--images", IMAGES, "--clip", CLIP, "--zero-shot-head", HEAD),
        *("--output", str(output)),
    ]


def wait_for(path: Path, pattern: str, *, seconds: float) -> None:
    """Wait until a file of that name is there.

    Raises:
        TimeoutError: there is none in time.
    """
    end = time.monotonic() + seconds
    while not list(path.glob(pattern)):
        if time.monotonic() > end:
            raise TimeoutError(f"no {pattern} in {path} within {seconds} s")
        time.sleep(0.02)


def terminate(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Do what preemption does; return exit code and output."""
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


@contextmanager
def small_disk(folder: Path, *, kilobytes: int) -> Iterator[Path]:
    """Yield a folder on a disk of its own that is soon full.

    Raises:
        PermissionError: nothing can be mounted here.
    """
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        raise PermissionError(done.stderr.decode())
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
