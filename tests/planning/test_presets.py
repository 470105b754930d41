"""The papers' protocols as presets: what they amount to, on folders of empty pictures."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.harness import ROOT
from workflow_scripts.planning import job_settings as jobs
from workflow_scripts.planning.locations import Locations
from workflow_scripts.planning.plan import Plan
from workflow_scripts.planning.products import all_products


def plan_of(preset: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, classes: int) -> Plan:
    config: dict[str, Any] = yaml.safe_load((ROOT / f"presets/{preset}.yaml").read_text())
    for name in {dataset for block in config["runs"] for dataset in block["datasets"]}:
        images = config["datasets"][name]["images"]
        for root in {*images["train"].values(), *images["test"].values()}:
            for number in range(classes):
                (folder / root / f"class_{number}").mkdir(parents=True)
                (folder / root / f"class_{number}/1.jpg").touch()
    monkeypatch.chdir(folder)
    return Plan(config)


def test_ogen_base_to_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("ogen-base-to-new", tmp_path, monkeypatch, classes=9)
    assert len(plan.trained_runs) == 11 * 3 * 3
    assert {run.source for run in plan.trained_runs} == {"real-train"}
    # Five of nine classes are base: ceil(n / 2), in the order of the labels.
    assert plan.base_labels("dtd") == (0, 1, 2, 3, 4)
    run = next(run for run in plan.trained_runs if run.method == "ogen-published" and run.seed == 2)
    job = jobs.train(plan, run).model_dump()
    settings = job["method"]
    expected = {"variant": "published", "epochs": 10, "batch_size": 32, "learning_rate": 0.002, "shots": 16}
    assert {name: settings[name] for name in expected} == expected
    assert (job["seed"], job["base"]) == (2, plan.base_labels(run.dataset))
    assert plan.generators == ()
    assert not any("exports" in path for path in all_products(Locations(plan)))


def test_vl2v_domainbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("vl2v-domainbed", tmp_path, monkeypatch, classes=2)
    assert len(plan.trained_runs) == 4 * 4 * 2 + 6 * 2
    run = next(run for run in plan.trained_runs if run.method == "vl2v-sd.without-sketch" and run.dataset == "pacs")
    assert [domain for _, _, domain in plan.train_images(run)] == ["art_painting", "cartoon", "photo"]
    # The other domains' folders hold the very pictures that it was trained on.
    assert plan.evaluation_domains(run) == ("sketch", "held-out")
    settings = jobs.train(plan, run).model_dump()["method"]
    assert settings["training"] == {"steps": 5001, "validate_every": 200, "learning_rate": 5e-5}
    assert (settings["image_weight"], settings["batch_per_domain"]) == (0.5, 32)
    assert settings["averaging"] == {"kind": "swad", "n_converge": 3, "n_tolerance": 6, "tolerance_ratio": 0.3}
    page = jobs.write_page(plan, shared=()).model_dump()
    assert [
        table["rows"][name][-1] for table, name in zip(page["published"], ("VL2V-SD", "VL2V-ADiP"), strict=True)
    ] == [
        77.73,
        75.48,
    ]


def test_the_two_halves_of_37_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("ogen-base-to-new", tmp_path, monkeypatch, classes=37)
    base = plan.base_labels("oxford-pets")
    assert base == tuple(range(19))
    assert len(plan.classes["oxford-pets"]) - len(base) == 18
