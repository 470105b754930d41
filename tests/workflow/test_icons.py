"""Icons from package to page: the recipe of the icon world's own models at a few steps, on a small package."""

import json
from pathlib import Path
from typing import Any

import open_clip
import pyarrow.parquet as pq
import pytest
import torch
import yaml

from tests.real_images.icon_package import SHAPES, small_package
from tests.workflow.harness import ROOT, Planner, copy_project, locations, merge, run
from workflow_scripts.common.manifests import read_manifest

PRESET = "presets/icons-pretraining.yaml"
CLASSES = ["house", "kite", "flag", "boat"]
SMALL: dict[str, Any] = {
    "name": "icons",
    "datasets": {
        "icons": {
            "classes": CLASSES,
            "classes_file": None,
            "images": {"at_least": 1, "styles": ["solid"]},
            "prompts": {"domains": {"outline": None, "shaded": None}, "heads": {"one-sentence": None}},
        }
    },
    "clips": {
        "icon-clip": {
            "corpus": {"draws": 32, "max_shift": 1, "captions": {"colour": None}},
            "image_size": 32, "vision": {"width": 4}, "text_width": 16, "text_layers": 1, "text_attention_heads": 2,
            "dimension": 16, "batch_size": 16,
        }
    },
    "generators": {
        "icon-generator": {
            "checkpoint": {
                "autoencoder": {"channels": [8, 8, 8], "steps": 2, "batch_size": 4},
                "denoiser": {
                    "layers": 1, "attention_heads": 2, "head_width": 8, "steps": 2, "batch_size": 8,
                    "captions_per_batch": 4, "copies": 2,
                },
            },
            "steps": 2, "images_per_class": 5, "images_per_shard": 20,
        }
    },
    "students": {
        "icon-judge": {
            "corpus": {"images": 12, "domains": ["solid"], "max_shift": 1}, "image_size": 32, "epochs": 1,
            "batch_size": 4,
        }
    },
    "methods": {"plain": {"batch_size": 16, "epochs": 1}},
    "alphas": ["0.00", "0.50", "1.00"],
    "exports": ["0.50"],
    "threads": {"preparation": 1, "models": 1, "text_to_image": 1, "generation": 1, "training": 1, "evaluation": 1},
}  # fmt: skip


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def configuration(package: Path, overlay: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the preset as small as it can be."""
    preset = yaml.safe_load((ROOT / PRESET).read_text(encoding="utf-8"))
    named = {"datasets": {"icons": {"images": {"folder": str(package)}}}}
    whole: dict[str, Any] = without_nulls(merge(merge(merge(preset, SMALL), named), overlay or {}))
    return whole


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return configuration(small_package(tmp_path_factory.mktemp("package")))


@pytest.fixture(scope="module")
def ran(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which it has run from nothing."""
    project = copy_project(tmp_path_factory.mktemp("icons") / "project")
    (project / "icons.json").write_text(json.dumps(config))
    result = run(project, "--configfile", str(project / "icons.json"))
    assert result.returncode == 0, result.stderr[-5000:]
    return project


def test_the_recipe_runs_from_nothing_to_the_page_and_then_there_is_nothing_to_do(ran: Path) -> None:
    again = run(ran, "--configfile", str(ran / "icons.json"))
    assert "Nothing to be done" in again.stderr
    assert (ran / "results/icons/report/index.html").is_file()


def test_every_style_that_is_asked_for_is_scored(ran: Path) -> None:
    header, *lines = (ran / "results/icons/report/metrics.csv").read_text().splitlines()
    rows = [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]
    top1 = {tuple(row[key] for key in ("method", "alpha", "domain")) for row in rows if row["metric"] == "top1"}
    domains = {"solid", "mean"}
    assert {domain for method, alpha, domain in top1 if (method, alpha) == ("plain", "0.50")} == {*domains, "held-out"}
    assert {domain for method, _, domain in top1 if method == "zero-shot"} == domains


def test_manifests_name_the_sets_and_the_page_thanks_them(ran: Path, config: dict[str, Any]) -> None:
    where = locations(config)
    manifest = ran / where.image_manifest("icons", "real-test", "solid")
    assert read_manifest(manifest)["credits"] == [
        {"collection": "Set of IBM", "author": "IBM", "license": "MIT", "images": 4}
    ]
    page = (ran / "results/icons/report/index.html").read_text()
    # Those of the training pictures too: the judge is trained on them, and drawn ones are compared with them.
    assert [name for name in ("IBM", "Anna", "Ben", "Carla") if f"Set of {name}" not in page] == []


def test_a_judge_looks_at_what_was_drawn(ran: Path, config: dict[str, Any]) -> None:
    where = locations(config)
    drawn, *real = where.inspections(where.plan.comparisons[0])
    rows = pq.read_table(ran / drawn).to_pylist()
    assert len(rows) == 20
    assert {row["predicted"] for row in rows} <= set(CLASSES)
    assert all(0 <= row["rank"] < 4 and -1.01 <= row["nearest"] <= 1.01 for row in rows)
    assert {row["nearest_id"].split(":")[0] for row in rows} <= {"s0", "s1", "s2"}
    assert [Path(path).parts[-2:-1] for path in real] == [("real-test",)]
    assert {row["nearest"] for row in pq.read_table(ran / real[0]).to_pylist()} == {None}
    assert "What was drawn" in (ran / "results/icons/report/index.html").read_text()


def test_an_export_brings_its_tokenizer(ran: Path) -> None:
    folder = next((ran / "results/icons/runs").rglob("exports/0.50"))
    model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(["an icon of a kite", "an icon of a house"])
    with torch.no_grad():
        features = model.eval().encode_text(tokens, normalize=True)
    assert features.shape == (2, 16)
    assert int(tokens.max()) == model.vocab_size - 1 < 700


def test_the_table_is_prepared_once_and_corpora_read_it(ran: Path, config: dict[str, Any]) -> None:
    where = locations(config)
    (table,) = where.prepared("icons")
    assert where.corpus_files(where.plan.configuration.clips["icon-clip"]) == [table]
    names = pq.read_table(ran / table, columns=["name"])["name"].to_pylist()
    assert set(names) == set(SHAPES)
    assert len(list((ran / "results/shared/prepared").glob("*.parquet"))) == 1


OVERLAYS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "shards": ({"datasets": {"icons": {"images": {"shards": 2}}}}, {"convert_real_images", "collect_real_images"}),
    "test authors": (
        {"datasets": {"icons": {"images": {"test_authors": ["Anna"]}}}},
        {"prepare_real_images", "pretrain_clip_and_tokenizer", "pretrain_transformer", "convert_real_images"},
    ),
    "denoiser": (
        {"generators": {"icon-generator": {"checkpoint": {"denoiser": {"copies": 1}}}}},
        {"pretrain_transformer", "generate_images", "inspect_images"},
    ),
    "judge": (
        {"students": {"icon-judge": {"epochs": 2}}},
        {"pretrain_student", "inspect_images", "draw_figures", "write_page"},
    ),
    "vocabulary": (
        {"clips": {"icon-clip": {"vocabulary": "clip"}}},
        {"pretrain_clip", "pretrain_transformer", "build_zero_shot_head"},
    ),
}
"""A change, and rules that it reruns."""
SPARED = {
    "shards": {"prepare_real_images", "pretrain_clip_and_tokenizer"},
    "test authors": {"write_class_names"},
    "denoiser": {"prepare_real_images", "pretrain_autoencoder", "pretrain_clip_and_tokenizer", "pretrain_student"},
    "judge": {"generate_images", "train_finetune", "score_images", "compute_metrics"},
    "vocabulary": {"prepare_real_images", "pretrain_autoencoder", "pretrain_clip_and_tokenizer"},
}
"""Rules that it does not rerun."""


@pytest.mark.parametrize("change", list(OVERLAYS))
def test_a_change_reruns_what_it_touches(
    change: str, ran: Path, config: dict[str, Any], planner: Planner, tmp_path: Path
) -> None:
    overlay, expected = OVERLAYS[change]
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(without_nulls(merge(config, overlay))))
    plan = planner.plan_files(ran, path)
    assert expected <= set(plan)
    assert not SPARED[change] & set(plan)


def test_another_package_in_its_place_is_drawn_anew(ran: Path, config: dict[str, Any], planner: Planner) -> None:
    path = Path(config["datasets"]["icons"]["images"]["folder"]) / "json" / "s1.json"
    content = path.read_text()
    path.write_text(content + " ")
    try:
        plan = planner.plan_files(ran, ran / "icons.json")
    finally:
        path.write_text(content)
    assert plan["prepare_real_images"] == 1


def test_a_missing_package_is_named_before_any_job(ran: Path, config: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "missing.json"
    overlay = {"datasets": {"icons": {"images": {"folder": str(tmp_path / "none")}}}}
    path.write_text(json.dumps(merge(config, overlay)))
    result = run(ran, "--configfile", str(path))
    assert result.returncode == 1
    refused = f"datasets.icons.images.folder: {tmp_path / 'none'}: does not hold npm's @iconify/json 2.2.535"
    assert refused in result.stderr
    assert "presets/fashion-mnist.yaml" in result.stderr


def test_a_class_without_icons_is_named_by_the_job(ran: Path, config: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "unknown.json"
    path.write_text(json.dumps(merge(config, {"datasets": {"icons": {"classes": [*CLASSES, "zebra"]}}})))
    result = run(ran, "--configfile", str(path), "--until", "prepare_real_images")
    assert result.returncode == 1
    assert "no icon is called 'zebra' (no other name is near)" in result.stderr
