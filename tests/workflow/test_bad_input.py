"""A wrong configuration stops before any job: a line per error, exit code 1, no traceback, nothing written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.harness import ROOT, Planner, copy_project, digits_with, locations, merge, run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("bad") / "project")


def digits(**changes: Any) -> dict[str, Any]:
    return {"datasets": {"digits": changes}}


def methods(name: str, **changes: Any) -> dict[str, Any]:
    """Return an overlay that runs one method on digits, with changed settings."""
    block = {"datasets": ["digits"], "sources": ["digits-diffusion"], "clips": ["digits-clip"], "methods": [name]}
    kinds = {"ogen": {"kind": "ogen"}, "vl2v-adip": {"kind": "vl2v-adip"}}
    return {"methods": {name: {**kinds.get(name, {}), **changes}}, "runs": [block]}


# ruff: noqa: E501
CASES: list[tuple[dict[str, Any], str]] = [
    ({"methdos": {}}, "methdos: unknown key"),
    ({"methods": {"plain": {"epohcs": 3}}}, "methods.plain.epohcs: unknown key"),
    ({"methods": {"plain": {"epochs": "3"}}}, "methods.plain.epochs: Input should be a valid integer (given: '3')"),
    ({"methods": {"plain": {"batch_size": 1}}}, "methods.plain.batch_size: Input should be greater than or equal to 2"),
    ({"methods": {"zero-shot": {"kind": "finetune"}}}, "methods.zero-shot: this name is reserved"),
    ({"methods": {"a/b": {"kind": "finetune"}}}, "methods.a/b: a name is made of letters, digits,"),
    ({"methods": {"plain": {"domains": ["sketchy"]}}}, "methods.plain.domains: 'sketchy' is not defined (known: photo, negative)"),
    ({"alphas": ["0.50", "1.50"]}, "alphas.1: an alpha lies between 0 and 1 (given: '1.50')"),
    ({"alphas": [0.5]}, "alphas.0: Input should be a valid string, in quotes (given: 0.5)"),
    ({"alphas": ["0.5"]}, "alphas.0: an alpha is written with two to six decimals, as in \"0.50\" (given: '0.5')"),
    ({"alphas": ["0.50", "0.500"]}, "alphas: a value occurs twice"),
    ({"alphas": ["0.00", "1.00"]}, "pickers.fixed.alpha: '0.50' is not one of alphas"),
    ({"report": {"fixed_alpha": "0.50"}}, "report.fixed_alpha: unknown key"),
    ({"pickers": {"best": {"kind": "magic"}}}, "pickers.best.kind: 'magic' is not one of 'fixed', 'oracle'"),
    ({"exports": ["0.5"]}, "exports: '0.5' is neither an alpha, written as in \"0.50\", nor a picker (known: fixed, oracle)"),
    ({"exports": ["1.50"]}, "exports: an alpha lies between 0 and 1 (given: '1.50')"),
    ({"exports": ["0.50", "0.500"]}, "exports: a value occurs twice"),
    ({"exports": ["fixed", "fixed"]}, "exports: a value occurs twice"),
    (
        {
            "exports": ["oracle"],
            "datasets": {"bare": {"classes": ["a", "b"], "images": {"kind": "none"}, "prompts": {"domains": {"photo": ["a {}"]}}}},
            "runs": [{"datasets": ["bare"], "sources": ["digits-diffusion"], "clips": ["digits-clip"], "methods": ["plain"]}],
        },
        "exports: 'oracle' looks at real test images, and dataset 'bare' has none",
    ),
    ({"runs": []}, "runs: Tuple should have at least 1 item"),
    ({"runs": [{"datasets": ["x"], "sources": ["y"], "clips": ["z"], "methods": []}]}, "runs.0.sources: 'y' is not defined"),
    (digits(classes=["one"]), "datasets.digits: class names: 1 class is too few"),
    (digits(classes=["one", "one"]), "datasets.digits: class names: 'one' occurs twice"),
    (digits(classes=["one", "two"]), "datasets.digits.classes: 2 names, but digits has 10 classes"),
    (digits(classes_file="/none.txt"), "datasets.digits.classes_file: /none.txt: missing"),
    (digits(prompts={"domains": {"photo": ["no placeholder"]}}), "a template holds {} exactly once"),
    (digits(prompts={"domains": {"mean": ["a {}"]}}), "datasets.digits: the domain name 'mean' is reserved"),
    ({"generators": {"digits-diffusion": {"scheduler": "magic"}}}, "generators.digits-diffusion.scheduler: Input should be"),
    ({"generators": {"digits-clip": {"checkpoint": {"kind": "folder", "path": "x"}}}}, "generators.digits-clip: another model has this name"),
    ({"generators": {"digits-diffusion": {"checkpoint": {"clip": "nobody"}}}}, "checkpoint.clip: 'nobody' is not defined"),
    ({"clips": {"digits-clip": {"corpus": {"mixture_weights": {"painting": 1.0}}}}}, "clips.digits-clip.corpus.mixture_weights: 'painting' is not defined"),
    (digits(base_classes=["zero", "ten"]), "datasets.digits.base_classes: 'ten' is not one of its classes"),
    (digits(base_classes=[]), "datasets.digits.base_classes: base and new classes both need a class"),
    (methods("ogen", neighbors=9), "methods.ogen.neighbors: 9, but 'digits' has 4 other base classes"),
    (methods("ogen", train_classes="all"), "methods.ogen.train_classes: 'all', but variant 'published' needs new classes"),
    (merge(methods("ogen"), digits(base_classes=None)), "methods.ogen.train_classes: 'base', but datasets.digits.base_classes is not set"),
    (methods("regft", leave_one_domain_out=True, domains=["photo"]), "methods.regft.leave_one_domain_out: 'photo' is the only domain"),
    (
        merge(methods("regft", leave_one_domain_out=True), digits(images={"domains": ["photo", "sketch"]})),
        "methods.regft.leave_one_domain_out: the real domain 'sketch' has no domain",
    ),
    (methods("regft", shots=4), "methods.regft.shots: only real images are taken as shots"),
    (methods("vl2v-adip", student="nobody"), "methods.vl2v-adip.student: 'nobody' is not defined (known: none is defined)"),
    (methods("regft", head="short"), "methods.regft.head: 'short' is not defined (known: default)"),
    (methods("ogen", head="default"), "methods.ogen.head: this kind of method starts from no zero-shot head; leave it out"),
    (digits(prompts={"heads": {"a.without-b": {"kind": "single"}}}), "datasets.digits.prompts.heads.a.without-b: '.without-' in a name is reserved"),
    ({"methods": {"zero-shot.short": {"kind": "finetune"}}}, "methods.zero-shot.short: this name is reserved"),
    (
        {
            "methods": {"plain": {"train_on": "mixed"}},
            "runs": [{"datasets": ["digits"], "sources": ["real-train"], "clips": ["digits-clip"], "methods": ["plain"]}],
        },
        "methods.plain.train_on: 'mixed', but runs.0.sources names real-train; set it to 'real'",
    ),
    ({"methods": {"a.without-b": {"kind": "finetune"}}}, "methods.a.without-b: '.without-' in a name is reserved"),
    (
        {"runs": [{"datasets": ["digits"], "sources": ["real-train"], "clips": ["digits-clip"], "methods": ["plain"]}]},
        "methods.plain.train_on: 'generated', but runs.0.sources names real-train",
    ),
    ({"clips": {"hub": {"kind": "hub", "repository": "a/b"}}}, "clips.hub.revision: missing"),
    (
        {"clips": {"hub": {"kind": "hub", "repository": "../b", "revision": "main"}}},
        "clips.hub.repository: a hub's name is made of letters, digits and . _ / -",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("overlay", "message"), CASES, ids=[message[:50] for _, message in CASES])
def test_each_error_is_one_line(overlay: dict[str, Any], message: str, project: Path, planner: Planner) -> None:
    code, text = planner.text(project, overlay)
    assert code == 1
    lines = [line for line in text.splitlines() if message in line]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    assert not (project / "results").exists()


def test_all_errors_are_listed(project: Path, planner: Planner) -> None:
    overlay = {"methods": {"plain": {"epochs": 0, "color": 1}}, "alphas": ["2.00"]}
    _, text = planner.text(project, overlay)
    for key in ("methods.plain.epochs: ", "methods.plain.color: unknown key", "alphas.0: "):
        assert key in text


def written(path: Path, config: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return str(path)


def bad_runs(project: Path, folder: Path) -> dict[str, list[str]]:
    """Return snakemake's arguments by the way in which one wrong value gets into a configuration."""
    wrong = {"methods": {"plain": {"kind": "finetune", "epochs": 0}}}
    preset, snakefile = str(project / "presets/digits.yaml"), str(project / "Snakefile")
    module = f"""
module nameonly:
    snakefile: {snakefile!r}
    config: {{"extends": "presets/digits.yaml", **{wrong}}}
use rule * from nameonly as nameonly_*
"""
    (folder / "module.smk").write_text(module)
    (folder / "named.smk").write_text(f"configfile: 'extending.yaml'\ninclude: {snakefile!r}\n")
    extending = written(folder / "extending.yaml", {"extends": "presets/digits.yaml", **wrong})
    return {
        "one file": ["-s", snakefile, "--configfile", written(folder / "whole.yaml", digits_with(wrong))],
        "a file that extends": ["-s", snakefile, "--configfile", extending],
        "two files": ["-s", snakefile, "--configfile", preset, written(folder / "second.yaml", wrong)],
        "a single value": ["-s", snakefile, "--configfile", preset, "--config", "set={methods.plain.epochs: 0}"],
        "a whole key": [
            "-s",
            snakefile,
            "--configfile",
            preset,
            "--config",
            "methods={plain: {kind: finetune, epochs: 0}}",
        ],
        "a configfile of an including workflow": ["-s", str(folder / "named.smk"), "all"],
        "a module's config": ["-s", str(folder / "module.smk")],
    }


def test_a_wrong_value_is_one_line_in_every_way_of_merging(project: Path, planner: Planner, tmp_path: Path) -> None:
    for way, arguments in bad_runs(project, tmp_path).items():
        code, text = planner.call([*arguments, "-n", "--directory", str(tmp_path)], folder=tmp_path)
        assert code == 1, way
        message = "methods.plain.epochs: Input should be greater than or equal to 1 (given: 0)"
        # With `methods` replaced whole, what the runs name is missing too.
        assert text.count(message) == 1, f"{way}: {text}"
        assert "Traceback" not in text
    assert not (tmp_path / "results").exists()


def folder_overlay(root: Path) -> dict[str, Any]:
    images = {"kind": "folder", "test": {"photo": str(root)}}
    dataset = {"images": images, "prompts": {"domains": {"photo": ["a photo of a {}."]}}}
    run_block = {"datasets": ["mine"], "sources": ["digits-diffusion"], "clips": ["digits-clip"], "methods": ["plain"]}
    return {"datasets": {"mine": dataset}, "runs": [run_block]}


def test_folders_are_validated_before_any_job(project: Path, planner: Planner, tmp_path: Path) -> None:
    _, text = planner.text(project, folder_overlay(tmp_path / "none"))
    assert f"datasets.mine.images.test.photo: {tmp_path / 'none'}: no such folder" in text
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
    (tmp_path / "pets/cat/1.png").write_bytes(b"x")
    _, text = planner.text(project, folder_overlay(tmp_path / "pets"))
    assert f"datasets.mine.images.test.photo: {tmp_path / 'pets'}: folder 'dog' holds no picture" in text


def test_a_damaged_picture_fails_by_name_and_leaves_nothing(project: Path, tmp_path: Path) -> None:
    root = tmp_path / "pets"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        (root / name / "1.png").write_bytes(b"not a picture")
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(folder_overlay(root)))
    target = locations(digits_with(folder_overlay(root))).shards("mine", "real-test", "photo")[0]
    preset = str(project / "presets/digits.yaml")
    result = run(project, target, "--configfile", preset, str(overlay), directory=tmp_path)
    assert result.returncode == 1
    assert f"{root}/cat/1.png: not a readable picture" in result.stderr
    assert not (tmp_path / target).exists()
    assert list((tmp_path / target).parent.glob("*")) == []


def test_class_names_are_data(project: Path, tmp_path: Path) -> None:
    names = ["a/b", "../x", 'it\'s "q"', "$(touch pwned)", "; touch pwned", "Ünïcode 猫", "{wildcards}", "-rf"]
    dataset = {
        "classes": names,
        "images": {"kind": "none"},
        "prompts": {"domains": {"photo": ["a photo of a {}."]}, "heads": {"default": {"kind": "single"}}},
    }
    run_block = {"datasets": ["odd"], "sources": ["digits-diffusion"], "clips": ["digits-clip"], "methods": ["plain"]}
    overlay = tmp_path / "overlay.yaml"
    config = {"datasets": {"odd": dataset}, "runs": [run_block]}
    overlay.write_text(yaml.safe_dump(config, allow_unicode=True))
    targets = [
        locations(digits_with(config)).generation_prompts("odd", "photo"),
        "results/digits/prompts/odd/default.parquet",
    ]
    preset = str(project / "presets/digits.yaml")
    result = run(project, *targets, "--configfile", preset, str(overlay), directory=tmp_path)
    assert result.returncode == 0, result.stderr
    import pyarrow.parquet as pq

    rows = pq.read_table(tmp_path / targets[0]).to_pylist()
    assert [row["class_name"] for row in rows] == names
    assert [row["prompt"] for row in rows] == [f"a photo of a {name}." for name in names]
    assert not list(tmp_path.rglob("*pwned*"))
    assert {path.name for path in tmp_path.iterdir()} == {"overlay.yaml", "results", ".snakemake"}


def test_the_schema_in_the_repository_is_the_settings(tmp_path: Path) -> None:
    from workflow_scripts.planning.configuration import write_schema

    write_schema(tmp_path / "schema.json")
    assert (tmp_path / "schema.json").read_text() == (ROOT / "config.schema.json").read_text(), "run `make schema`"


def test_presets_are_valid() -> None:
    from workflow_scripts.planning.configuration_files import load_configuration
    from workflow_scripts.planning.validation import validated_configuration

    for preset in [ROOT / "config.yaml", *sorted((ROOT / "presets").glob("*.yaml"))]:
        layers = load_configuration(files=[preset], workflow_folder=ROOT, changes={})
        assert validated_configuration(layers.values).runs, preset.name


def test_conda_environment_and_lock_are_the_same() -> None:
    lock = {line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and line[0] != "#"}
    conda = yaml.safe_load((ROOT / "envs/nameonly.yaml").read_text())
    assert set(conda["dependencies"][-1]["pip"]) == lock
    assert all("==" in pin for pin in lock)
