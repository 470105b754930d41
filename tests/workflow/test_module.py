"""Another workflow uses this one as a module: its rules, its environment and its default target stay its own."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.workflow.harness import (
    ROOT,
    SMALL,
    SNAKEMAKE,
    Planner,
    copy_project,
    digests,
    planned_in,
    small_configuration,
)

PAGE = "deep/results/small/report/index.html"
IMPORTER = """
import yaml

rule mine:
    input:
        "{page}",
        "words/some.txt",
    output:
        "mine.txt",
    shell:
        "printf '%s\\n' $PATH ${{{{PYTHONPATH-unset}}}} ${{{{PYTHONSAFEPATH-unset}}}} > {{output}}"

# A name that our wildcards have, too, and a value that our configurations have not.
rule words:
    output:
        "words/{{clip}}.txt",
    shell:
        "echo {{config[words]}} > {{output}}"

with open("small.yaml") as file:
    SMALL = yaml.safe_load(file)

module nameonly:
    snakefile: {snakefile!r}
    config: SMALL
    prefix: "deep"

use rule * from nameonly as n_*
"""
WORDS = ("--config", "words=own")


def importer(folder: Path, snakefile: str, *, page: str = PAGE) -> Path:
    """Write a workflow that uses ours; return its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "Snakefile").write_text(IMPORTER.format(snakefile=snakefile, page=page))
    shutil.copy(SMALL, folder / "small.yaml")
    return folder


def snakemake(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SNAKEMAKE), "--cores", "2", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def plan(folder: Path, planner: Planner) -> dict[str, int]:
    code, text = planner.call(["-n", "mine", "n_all", *WORDS], folder=folder)
    assert code == 0, text
    return planned_in(text)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an importer that has run.

    Our checkout lies in a folder with blanks. In the working directory and in the checkout lie files of the user's
    that must not be imported.
    """
    root = tmp_path_factory.mktemp("module")
    checkout = copy_project(root / "our 'own' copy")
    folder = importer(root / "importer", str(checkout / "Snakefile"))
    for place in (folder, checkout):
        (place / "numpy.py").write_text(f"open({str(root / 'executed')!r}, 'w'); raise SystemExit('numpy.py')")
    result = snakemake(folder, "mine", "n_all", *WORDS, PYTHONPATH="/own")
    assert result.returncode == 0, result.stderr[-5000:]
    return folder


def test_a_modules_run_lies_below_its_prefix_and_equals_our_own(imported: Path, undisturbed: Path) -> None:
    module, own = (
        {name: digest for name, digest in digests(results).items() if "scores.parts" not in name}
        for results in (imported / "deep/results", undisturbed / "results")
    )
    assert len(own) > 35
    assert set(module) == set(own)
    # Both name what the training read, by its path.
    differing = {Path(name).name for name in own if module[name] != own[name]}
    assert differing == {"metadata.json", "encoder.safetensors"}
    benchmarks = [path.relative_to(imported / "deep") for path in (imported / "deep").rglob("*.tsv")]
    assert {path.parts[:2] for path in benchmarks} == {("results", "benchmarks")}
    assert not (imported / "results").exists()


def test_files_of_the_users_are_not_imported(imported: Path) -> None:
    assert not (imported.parent / "executed").exists()


def test_the_importers_rules_keep_their_environment_wildcards_and_configuration(imported: Path) -> None:
    assert (imported / "words/some.txt").read_text() == "own\n"
    assert (imported / "mine.txt").read_text().splitlines() == [os.environ["PATH"], "/own", "unset"]


def test_the_importers_first_rule_is_what_is_made(planner: Planner, tmp_path: Path) -> None:
    folder = importer(tmp_path / "importer", str(ROOT / "Snakefile"))
    code, text = planner.call(["-n", *WORDS], folder=folder)
    assert code == 0
    assert "localrule n_all:" not in text
    assert planned_in(text)["mine"] == 1


def test_files_of_the_users_do_not_lie_below_the_prefix(planner: Planner, tmp_path: Path) -> None:
    folder = importer(tmp_path / "importer", str(ROOT / "Snakefile"))
    config = small_configuration()
    config["datasets"]["digits"]["prompts"]["heads"]["default"] = {"kind": "descriptions", "file": "mine/words.json"}
    (folder / "small.yaml").write_text(yaml.safe_dump(config))
    (folder / "mine").mkdir()
    names = "zero one two three four five six seven eight nine"
    (folder / "mine/words.json").write_text(json.dumps({name: [f"the digit {name}."] for name in names.split()}))
    code, text = planner.call(["-n", *WORDS], folder=folder)
    assert code == 0, text
    assert re.search(r"rule n_write_head_prompts:\n    input: deep/results/\S+, mine/words.json\n", text)


def test_the_command_line_changes_numbers_of_the_importers_configuration(planner: Planner, tmp_path: Path) -> None:
    folder = importer(tmp_path / "importer", str(ROOT / "Snakefile"))
    text = (folder / "Snakefile").read_text().replace("config: SMALL", "config: {**SMALL, **config['nameonly']}")
    (folder / "Snakefile").write_text(text)
    changed = "nameonly={evaluation: {metrics: {resamples: 21}}, name: other}"
    code, text = planner.call(["n_all", "-n", "-p", *WORDS, changed], folder=folder)
    assert code == 0, text
    assert '"resamples":21' in text
    assert "deep/results/other/" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("    config: None\n", "config: missing; give the module a whole configuration"),
        ("", "config: missing; give the module a whole configuration"),
        ("    config: {'name': 'x'}\n", "runs: missing"),
    ],
)
def test_a_refused_configuration_is_said_to_be_the_modules(
    given: str, message: str, planner: Planner, tmp_path: Path
) -> None:
    folder = importer(tmp_path / "importer", str(ROOT / "Snakefile"))
    text = (folder / "Snakefile").read_text()
    (folder / "Snakefile").write_text(text.replace("    config: SMALL\n", given))
    code, output = planner.call(["-n", *WORDS], folder=folder)
    assert code == 1
    assert "the configuration of module nameonly is refused:\n" in output
    assert f"\n{message}" in output


def test_a_moved_checkout_reruns_nothing(imported: Path, planner: Planner, tmp_path: Path) -> None:
    assert plan(imported, planner) == {}
    (checkout,) = imported.parent.glob("our*")
    moved = shutil.copytree(checkout, tmp_path / "elsewhere")
    importer(imported, str(moved / "Snakefile"))
    assert plan(imported, planner) == {}


def test_two_copies_in_one_workflow_are_refused(planner: Planner, tmp_path: Path) -> None:
    folder = importer(tmp_path / "importer", str(ROOT / "Snakefile"))
    other = copy_project(tmp_path / "other")
    text = IMPORTER.partition("module nameonly")[2].format(snakefile=str(other / "Snakefile")).replace(" n_*", " m_*")
    with (folder / "Snakefile").open("a") as file:
        file.write(f"module second{text.replace('nameonly', 'second').replace('deep', 'other')}")
    code, output = planner.call(["-n", *WORDS], folder=folder)
    assert code == 1
    assert f"not from {other}: one workflow can use one package of this name" in output
    assert "Traceback" not in output


def test_a_hosted_source_is_refused_in_one_line(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    for words in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "a"],
        ["tag", "v1"],
    ):
        subprocess.run(["git", *words], cwd=project, check=True)
    hosted = tmp_path / "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/some/one"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(project), str(hosted)], check=True)
    folder = importer(tmp_path / "importer", "SOURCE")
    snakefile = folder / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace("'SOURCE'", "github('some/one', path='Snakefile', tag='v1')"))
    result = snakemake(folder, "-n", *WORDS, XDG_CACHE_HOME=str(tmp_path))
    assert result.returncode == 1
    assert result.stdout.count("clone it and name the Snakefile there") == 1, result.stdout
    assert "Traceback" not in result.stdout
