"""What the README tells a new user to type works; its commands on the digits task are what the other tests ran."""

import re
import subprocess
from pathlib import Path

from tests.workflow.harness import README_DIGITS, ROOT, SNAKEMAKE, readme_commands


def test_the_digits_command_is_the_one_that_ran(finished: Path) -> None:
    assert README_DIGITS == ".venv/bin/snakemake --cores all --configfile presets/digits.yaml"
    page = (finished / "results/digits/report/index.html").read_text(encoding="utf-8")
    assert "nameonly on handwritten digits" in page


def test_every_make_target_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z][\w-]*)", "\n".join([*re.findall(r"`([^`]*)`", text), *readme_commands()])))
    assert {"demo", "test", "lint", "resume", "test-full"} <= targets
    for target in sorted(targets):
        completed = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert completed.returncode == 0, f"make {target}: {completed.stderr}"


def test_files_that_the_readme_names_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:presets|tests|rules|profiles|docs)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name


def test_every_entry_point_has_help() -> None:
    import sys

    entries = [
        "prompts.write_generation_prompts",
        "real_images.collect_real_images",
        "evaluation.compute_metrics",
        "report.write_page",
    ]
    for entry in entries:
        command = [sys.executable, "-m", f"workflow_scripts.{entry}", "--help"]
        completed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert "--settings" in completed.stdout


def test_snakemakes_own_report_works(finished: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    command = [str(SNAKEMAKE), "--report", str(target), "--configfile", "presets/digits.yaml"]
    completed = subprocess.run(command, cwd=finished, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr[-2000:]
    text = target.read_text(encoding="utf-8")
    labels = re.findall(r'"labels": {"figure": "(.*?)"}, "size": "\d+\.\d+ [KM]B", "caption": "<p>(\w+)', text)
    assert sorted(labels) == [
        ("alphas", "Of"),
        ("drawn", "Of"),
        ("images", "Of"),
        ("the whole page", "Everything"),
        ("training", "Of"),
    ]
    assert "Of digits, with images from digits-diffusion, CLIP digits-clip." in text


def test_every_test_that_the_security_document_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(named) > 10
    for file, test in named:
        assert f"def {test}" in (ROOT / file).read_text(encoding="utf-8")
