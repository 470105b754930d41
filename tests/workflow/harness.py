"""Copies of the project, runs of it, and what a dry run plans."""

import hashlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts.planning.locations import Locations
from workflow_scripts.planning.plan import Plan

ROOT = Path(__file__).resolve().parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
PARTS = ("Snakefile", "config.yaml", "envs", "presets", "profiles", "rules", "workflow_scripts")
DIGITS = "presets/digits.yaml"
METHODS = Path(__file__).with_name("methods.yaml")
SMALL = Path(__file__).with_name("small.yaml")
PLANNERS = 2
"""Dry runs at a time."""
DATA = (".parquet", ".safetensors", ".csv", ".jsonl", ".json", ".png")
"""Files of which two runs on one machine give the same bits: no times or names of hosts in them."""


def readme_commands() -> list[str]:
    """Return the indented command lines of the README."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.startswith("    ")]


README_DIGITS = next(line for line in readme_commands() if "presets/digits.yaml" in line)


def run_readme_digits(project: Path) -> subprocess.CompletedProcess[str]:
    """Run the README's command for the digits task as it is written, in a project with an environment."""
    (project / ".venv").symlink_to(Path(sys.prefix))
    return subprocess.run(
        README_DIGITS.split(), cwd=project, env=_environment(project), capture_output=True, text=True, check=False
    )


def copy_project(target: Path) -> Path:
    """Copy what the workflow needs, without results and caches."""
    target.mkdir(parents=True)
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)
    return target


def run(project: Path, *arguments: str, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run snakemake on the digits preset, from another folder and without activating the environment."""
    command = [str(SNAKEMAKE), "--cores", "2", "--snakefile", str(project / "Snakefile")]
    command += ["--configfile", str(project / DIGITS), "--directory", str(directory or project), *arguments]
    return subprocess.run(command, cwd="/", env=_environment(project), capture_output=True, text=True, check=False)


def planned_in(text: str) -> dict[str, int]:
    """Return how many jobs of each rule a dry run's output plans (without `all`)."""
    table = re.search(r"Job stats:\n.*?\n-+ .*?\n(.*?)\ntotal ", text, flags=re.DOTALL)
    if table is None:
        assert "Nothing to be done" in text, text
        return {}
    rows = (line.split() for line in table.group(1).splitlines())
    return {name: int(count) for name, count in rows if name != "all"}


def merge(base: Any, overlay: Any) -> Any:
    """Return a configuration with an overlay that names single values at any depth."""
    if isinstance(base, dict) and isinstance(overlay, dict):
        return {**base, **{key: merge(base.get(key), value) for key, value in overlay.items()}}
    return overlay


def all_methods(overlay: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the overlay in which every kind of method runs, with another overlay on it."""
    merged: dict[str, Any] = merge(yaml.safe_load(METHODS.read_text(encoding="utf-8")), overlay or {})
    return merged


def digits_with(overlay: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the whole configuration of the digits preset with an overlay."""
    whole: dict[str, Any] = merge(yaml.safe_load((ROOT / DIGITS).read_text(encoding="utf-8")), overlay or {})
    return whole


def small_files() -> tuple[str, ...]:
    """Return the options that name the smallest configuration."""
    return ("--configfile", str(SMALL))


def small_configuration() -> dict[str, Any]:
    """Return the digits preset as small as it can be, whole."""
    whole: dict[str, Any] = yaml.safe_load(SMALL.read_text(encoding="utf-8"))
    return whole


def locations(config: dict[str, Any]) -> Locations:
    """Return where a whole configuration's products lie."""
    return Locations(Plan(config))


def digests(results: Path) -> dict[str, str]:
    """Return the sha256 of every data file below a folder."""
    files = [path for path in results.rglob("*") if path.is_file() and path.name.endswith(DATA)]
    return {str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class Planner:
    """Asks for dry runs, also from several threads; a state is needed as Snakemake takes a second to import."""

    def __init__(self, scratch: Path) -> None:
        """Start the processes that plan; `scratch` holds overlays and outputs."""
        self.scratch = scratch
        self.idle: queue.SimpleQueue[subprocess.Popen[str]] = queue.SimpleQueue()
        for _ in range(PLANNERS):
            self.idle.put(
                subprocess.Popen(
                    [sys.executable, str(Path(__file__).with_name("planner.py"))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )

    def text(
        self, project: Path, overlay: dict[str, Any] | None = None, directory: Path | None = None
    ) -> tuple[int, str]:
        """Return exit code and output of a dry run of the digits preset with an overlay."""
        path = project / DIGITS
        if overlay:
            path = self.scratch / f"{uuid.uuid4().hex}.yaml"
            path.write_text(yaml.safe_dump(digits_with(overlay), allow_unicode=True, sort_keys=False), encoding="utf-8")
        arguments = ["-n", "--snakefile", str(project / "Snakefile"), "--directory", str(directory or project)]
        return self.call([*arguments, "--configfile", str(path)])

    def call(self, arguments: list[str], folder: Path = Path("/")) -> tuple[int, str]:
        """Return exit code and output of snakemake with any arguments, called in a folder."""
        process = self.idle.get()
        output = self.scratch / f"{process.pid}.txt"
        assert process.stdin is not None
        assert process.stdout is not None
        request = {"folder": str(folder), "arguments": arguments, "output": str(output)}
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline()), output.read_text(encoding="utf-8")
        finally:
            self.idle.put(process)

    def plan_files(self, project: Path, *files: Path) -> dict[str, int]:
        """Return how many jobs of each rule would run with whole configurations."""
        arguments = ["-n", "--snakefile", str(project / "Snakefile"), "--directory", str(project), "--configfile"]
        code, text = self.call([*arguments, *map(str, files)])
        assert code == 0, text
        return planned_in(text)

    def plan(
        self, project: Path, overlay: dict[str, Any] | None = None, directory: Path | None = None
    ) -> dict[str, int]:
        """Return how many jobs of each rule would run."""
        code, text = self.text(project, overlay, directory)
        assert code == 0, text
        return planned_in(text)

    def close(self) -> None:
        """End the processes."""
        for _ in range(PLANNERS):
            process = self.idle.get()
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


RECORDER = """
import atexit, os, sys

def _record():
    starts = [number for number, word in enumerate(sys.orig_argv) if word.endswith("/run_entry_point.py")]
    if not starts:
        return
    entry = sys.orig_argv[starts[0] + 1]
    names = [name for name in sys.modules if name.split(".")[0] == "workflow_scripts"]
    os.makedirs("modules", exist_ok=True)
    with open(f"modules/{entry}", "a", encoding="utf-8") as file:
        file.write(" ".join(sorted(names)) + "\\n")

atexit.register(_record)
"""
"""A sitecustomize that notes, when a job of ours ends, which of our modules it had imported."""


def project_with_recorder(target: Path) -> Path:
    """Copy the project and let its jobs note their modules under `modules/` of the working directory."""
    project = copy_project(target)
    (project / "recorder").mkdir()
    (project / "recorder/sitecustomize.py").write_text(RECORDER, encoding="utf-8")
    return project


def _environment(project: Path) -> dict[str, str]:
    recorder = project / "recorder"
    return {**os.environ, "PYTHONPATH": str(recorder)} if recorder.exists() else dict(os.environ)
