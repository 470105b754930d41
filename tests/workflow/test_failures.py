"""The failure matrix: a job that failed is planned again with all that follows; a deleted product is planned."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.graph import ENTRY_POINTS, FOLLOWS, rule_of, source_of, with_followers
from tests.workflow.harness import DIGITS, METHODS, Planner, all_methods, digits_with, run

CHANGES: dict[str, dict[str, Any]] = {
    "pretrain_clip": {"clips": {"digits-clip": {"seed": 5}}},
    "pretrain_autoencoder": {"generators": {"digits-diffusion": {"checkpoint": {"autoencoder": {"steps": 7}}}}},
    "pretrain_text_to_image": {"generators": {"digits-diffusion": {"checkpoint": {"denoiser": {"steps": 7}}}}},
    "write_generation_prompts": {
        "datasets": {"digits": {"prompts": {"domains": {"photo": ["one {}"], "negative": ["two {}"]}}}}
    },
    "write_head_prompts": {"datasets": {"digits": {"prompts": {"heads": {"default": {"templates": ["a {}"]}}}}}},
    "convert_real_images": {"datasets": {"digits": {"images": {"shards": 2}}}},
    "generate_images": {"generators": {"digits-diffusion": {"steps": 3}}},
    "train_finetune": {"methods": {"plain": {"epochs": 2}, "regft": {"epochs": 2}}},
    "score_images": {"evaluation": {"scoring": {"batch_size": 50}}},
    "compute_metrics": {"evaluation": {"metrics": {"resamples": 20}}},
    "select_alpha": {"pickers": {"fixed": {"kind": "fixed", "alpha": "1.00"}, "oracle": {"kind": "oracle"}}},
    "draw_figures": {"report": {"images_per_class": 2}},
    "write_page": {"report": {"title": "other"}},
    "export_model": {"exports": ["0.50", "0.00"]},
}
METHOD_RULES = (
    "pretrain_student",
    "embed_images",
    "train_ogen",
    "train_vl2v_sd",
    "train_vl2v_adip",
    "train_erm",
)
"""A change of each rule's own settings."""
CHANGES |= {rule: {} for rule in ("collect_real_images", "build_zero_shot_head", "collect_generated_images")}
# These have no settings of their own that could change: that their code does is enough to run them.

PLAIN_RULES = set(FOLLOWS) - set(METHOD_RULES)
"""Rules of the preset as it is, without further methods."""

ALWAYS = {"generate_images", "train_finetune", "score_images", "select_alpha", "export_model", "embed_images"}
"""Rules that `make test` breaks; `make test-full` breaks every one."""


def broken(rules: Iterable[str]) -> list[Any]:
    return [pytest.param(rule, marks=[] if rule in ALWAYS else [pytest.mark.full]) for rule in sorted(rules)]


BROKEN = 'raise SystemExit("made to fail")\n'


@pytest.mark.parametrize("rule", broken(CHANGES))
def test_a_failed_job_is_planned_with_all_that_follows(
    rule: str, finished: Path, planner: Planner, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished, project, symlinks=True)
    entry = next(name for name in ENTRY_POINTS if rule_of(name) == rule)
    path = project / "workflow_scripts" / source_of(entry)
    original = path.read_text()
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(digits_with(CHANGES[rule]), sort_keys=False))
    path.write_text(BROKEN + original.replace("from __future__", "#"))
    # All jobs that do not follow the broken one finish, so that what is planned afterwards is due to it alone.
    failed = run(project, "--keep-going", "--configfile", str(overlay))
    assert failed.returncode == 1
    path.write_text(original)
    plan = planner.plan(project, CHANGES[rule])
    assert set(plan) == with_followers({rule}) & PLAIN_RULES


@pytest.mark.parametrize("rule", broken(METHOD_RULES))
def test_a_failed_job_of_a_method_is_planned_with_all_that_follows(
    rule: str, with_methods: Path, planner: Planner
) -> None:
    # An edit makes the job run, and fail; taken back, the job is planned because its old output is gone.
    entry = next(name for name in ENTRY_POINTS if rule_of(name) == rule)
    path = with_methods / "workflow_scripts" / source_of(entry)
    original = path.read_text()
    results = with_methods / "results"
    kept = with_methods / "kept"
    shutil.copytree(results, kept, symlinks=True)
    records = with_methods / ".snakemake"
    shutil.copytree(records, with_methods / "records", symlinks=True)
    try:
        path.write_text(BROKEN + original.replace("from __future__", "#"))
        files = ("--configfile", str(with_methods / DIGITS), str(METHODS))
        assert run(with_methods, "--keep-going", *files).returncode == 1
        path.write_text(original)
        assert set(planner.plan(with_methods, all_methods())) == with_followers({rule})
    finally:
        path.write_text(original)
        for folder, copy in ((results, kept), (records, with_methods / "records")):
            shutil.rmtree(folder)
            copy.rename(folder)


def test_every_deleted_product_is_planned(with_methods: Path, planner: Planner) -> None:
    results = with_methods / "results"
    products = sorted(path.relative_to(results) for path in results.rglob("*") if path.is_file())
    kept = [path for path in products if not {"logs", "benchmarks", "scores.parts"} & set(path.parts)]
    one_per_kind = {(*path.parts[:2], re.sub(r"[\da-f]{8}|\d+", "#", path.name)): results / path for path in kept}
    assert {("shared", "images", "#-#.parquet"), ("shared", "images", "#-of-#.parquet")} <= set(one_per_kind)
    for path in one_per_kind.values():
        hidden = path.with_name(f".{path.name}.hidden")
        path.rename(hidden)
        try:
            plan = planner.plan(with_methods, all_methods())
        finally:
            hidden.rename(path)
        assert plan, f"{path} was deleted and nothing is planned"
    assert planner.plan(with_methods, all_methods()) == {}
