"""A stranger's parts, each one package or module and one line of a registry, run from images to the page.

Two kinds of method, a figure, a metric, a picker, a kind of data set in colors, a check of images, and a drawer that is
no pipeline of diffusers.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.numpy import save_file
from safetensors.torch import load_file

from tests.workflow.added_parts.real_images.kinds.flags import COLORS, STRIPES
from tests.workflow.harness import Planner, copy_project, planned_in, run, small_configuration
from workflow_scripts.common.images import decode_rgb

ADDED = Path(__file__).with_name("added_parts")
PACKAGE = "workflow_scripts"
METHOD_LINES = '    "neighbors",\n    "mean_of_seeds",\n'
LINES = {
    "training/methods.py": ('    "vl2v_adip",\n', METHOD_LINES),
    "report/figures/registry.py": ('    "training",\n', '    "spread",\n'),
    "evaluation/metrics/registry.py": ('    "ece",\n', '    "surprise",\n'),
    "real_images/kinds/registry.py": ('    "none",\n', '    "flags",\n'),
    "common/image_checks/registry.py": ('    "black",\n', '    "dim",\n'),
    "selection/pickers/registry.py": ('    "oracle",\n', '    "confident",\n'),
    "generation/drawers/registry.py": ('"text-to-image",\n', '    "palette": "weights",\n'),
}
"""The end of each registry's last line, and what stands after it when the parts are added."""
RUNS = "results/small/runs/flags/painter/flags-clip"
REPORT = "results/small/report"

METHODS: dict[str, Any] = {
    "neighbors": {"kind": "neighbors", "count": 3},
    "soup": {"kind": "mean-of-seeds", "of": "regft"},
}
PICKERS = {"fixed": {"kind": "fixed"}, "sure": {"kind": "confident"}, "oracle": {"kind": "oracle"}}
CLASSES, PER_CLASS = len(STRIPES), 16
DIM, HELD_OUT = 2, 3
"""Dim pictures of each class, 0 and 8, and the last fifth of it, which is held out."""


def configuration(checkpoint: Path, **methods: Any) -> dict[str, Any]:
    """Return the smallest configuration on flags in a single domain, with some more methods, of two seeds."""
    config = small_configuration()
    prompts = {"domains": {"photo": ["a photo of a {}."]}, "heads": config["datasets"]["digits"]["prompts"]["heads"]}
    corpus = {"kind": "images", "dataset": "flags", "images": 80, "mixture_weights": {"photo": 1}}
    few = {"batch_size": 40, "epochs": 20}
    painter = {
        "drawer": "palette",
        "checkpoint": {"kind": "folder", "path": str(checkpoint)},
        "images_per_class": PER_CLASS,
        "images_per_shard": 40,
    }
    regft = {**config["methods"]["regft"], "domains": None}
    block = {"datasets": ["flags"], "sources": ["painter"], "clips": ["flags-clip"]}
    more = [{**block, "methods": [name], "seeds": [0]} for name in methods if name in METHODS]
    return {
        **config,
        "datasets": {"flags": {"images": {"kind": "flags"}, "prompts": prompts}},
        "clips": {"flags-clip": {**config["clips"]["digits-clip"], "corpus": corpus, **few}},
        "generators": {"painter": painter},
        "methods": {"regft": regft, **methods},
        "pickers": PICKERS,
        "exports": ["sure"],
        "runs": [{**block, "methods": ["regft"], "seeds": [0, 1]}, *more],
    }


def written(folder: Path, config: dict[str, Any]) -> str:
    path = folder / "configuration.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with all parts added, in which they have run."""
    project = copy_project(tmp_path_factory.mktemp("added") / "project")
    shutil.copytree(ADDED, project / PACKAGE, dirs_exist_ok=True)
    for registry, (last, added) in LINES.items():
        path = project / PACKAGE / registry
        text = path.read_text()
        assert text.count(last) == 1
        path.write_text(text.replace(last, last + added))
    checkpoint = project / "painter"
    checkpoint.mkdir()
    stripes = {
        name: np.array([COLORS[color] for color in colors], dtype=np.float32) for name, colors in STRIPES.items()
    }
    save_file(stripes, checkpoint / "stripes.safetensors")
    result = run(project, "--configfile", written(project, configuration(checkpoint, **METHODS)))
    assert result.returncode == 0, result.stderr[-5000:]
    return project


def shards(project: Path, source: str) -> pd.DataFrame:
    paths = sorted((project / "results/shared/images/flags" / source).rglob("*.parquet"))
    table: pd.DataFrame = pd.concat([pq.read_table(path).to_pandas() for path in paths], ignore_index=True)
    return table


def pixels(row: Any) -> np.ndarray:
    return np.asarray(decode_rgb(row["image"]["bytes"], name="flag"), dtype=float)


def test_a_data_set_in_colors_is_read_whole(project: Path) -> None:
    test = shards(project, "real-test")
    assert test["class_name"].tolist() == list(STRIPES) * 8
    assert test["image_id"].tolist() == [f"real-test/{number}" for number in range(40)]
    italy = np.mean([pixels(row) for _, row in test[test["class_name"] == "Italy"].iterrows()], axis=0)
    stripes = italy.reshape(12, 3, 4, 3).mean(axis=(0, 2))
    assert [int(color.argmax()) for color in (stripes[0], stripes[2])] == [1, 0]
    assert stripes[1].min() > 180


def test_a_drawer_paints_what_its_checkpoint_holds(project: Path) -> None:
    drawn = shards(project, "painter")
    assert len(drawn) == CLASSES * PER_CLASS
    bright = drawn[(drawn["class_name"] == "France") & (drawn["index"] % 8 > 0)]
    stripes = np.mean([pixels(row) for _, row in bright.iterrows()], axis=(0, 1)).reshape(3, 4, 3).mean(axis=1)
    assert [int(color.argmax()) for color in (stripes[0], stripes[2])] == [2, 0]
    manifest = next((project / "results/shared/images/flags/painter").rglob("manifest-*.json"))
    provenance = yaml.safe_load(manifest.read_text())["provenance"]
    assert (provenance["pipeline"], provenance["drawer"]) == ("Palette", "palette")
    assert {"steps", "guidance_scale", "scheduler"}.isdisjoint(provenance)


def test_a_check_is_a_column_and_leaves_images_out(project: Path) -> None:
    drawn = shards(project, "painter")
    assert drawn[drawn["dim"].astype(bool)]["index"].value_counts().to_dict() == {0: CLASSES, 8: CLASSES}
    assert "dim" not in shards(project, "real-test")
    metadata = yaml.safe_load((project / RUNS / "regft/seed0/metadata.json").read_text())
    assert metadata["left_out_images"] == CLASSES * DIM
    cache = load_file(project / RUNS / "neighbors/seed0/cache.safetensors")
    assert len(cache["labels"]) == CLASSES * (PER_CLASS - DIM - HELD_OUT)


def test_a_metric_is_measured_and_shown(project: Path) -> None:
    table = pd.read_csv(project / RUNS / "regft/seed0/metrics.csv", dtype={"alpha": str})
    scores = pq.read_table(project / RUNS / "regft/seed0/photo/scores.parquet").to_pandas()
    scores = scores[(scores["label_set"] == "all") & (scores["alpha"] == "1.00")]
    rows = table[(table["metric"] == "surprise") & (table["domain"] == "photo") & (table["alpha"] == "1.00")]
    expected = float((scores["log_sum_exp"] - scores["true_logit"]).max())
    assert rows["value"].item() == pytest.approx(expected, abs=1e-4)
    page = (project / REPORT / "index.html").read_text()
    assert "Largest surprise (lower is better)" in page


def test_a_figure_stands_on_the_page_with_its_texts(project: Path) -> None:
    page = (project / REPORT / "index.html").read_text()
    figures = re.findall(r"<figure><h3>(.*?)</h3><img .*? alt=\"(.*?)\" .*?<figcaption>(.*?)</figcaption>", page)
    assert [title for title, _, _ in figures] == ["Images", "Accuracy over alpha", "Training", "Spread over methods"]
    assert figures[-1][1:] == ("Bars of 4 methods.", "A bar is the largest accuracy of a method.")


def test_a_picker_chooses_without_labels_and_is_exported(project: Path) -> None:
    folder = project / RUNS / "regft/seed1"
    scores = pq.read_table(folder / "photo/scores.parquet").to_pandas()
    scores = scores[scores["label_set"] == "all"]
    confidence = np.exp(scores["top_logits"].str[0] - scores["log_sum_exp"]).groupby(scores["alpha"]).mean()
    fixed, sure, oracle = json.loads((folder / "selection.json").read_text())["choices"]
    assert (sure["picker"], sure["looked_at"]) == ("sure", ["test-images"])
    assert sure["values"] == pytest.approx(confidence.to_dict(), abs=1e-6)
    assert sure["alpha"] == confidence.idxmax()
    assert (fixed["alpha"], oracle["looked_at"]) == ("0.50", ["test-labels"])
    with safe_open(folder / "exports/sure/open_clip_model.safetensors", framework="pt") as file:
        metadata = json.loads(file.metadata()["nameonly"])
    assert metadata == {"alpha": sure["alpha"], "picker": "sure", "picked": "most confident"}
    page = (project / REPORT / "index.html").read_text()
    assert re.search(r"<th scope=\"row\">regft</th><td>.*?</td><td class=\"text\">most confident</td>", page)
    assert "<dt>most confident</dt><dd>The alpha with the highest mean confidence" in page
    # What has a single endpoint has nothing to choose from, and nothing to average for open_clip.
    assert {each["alpha"] for each in selection_of(project, "neighbors")} == {"1.00"}
    assert not (project / RUNS / "neighbors/seed0/exports").exists()


def selection_of(project: Path, method: str) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = json.loads((project / RUNS / f"{method}/seed0/selection.json").read_text())[
        "choices"
    ]
    return choices


def plan(project: Path, planner: Planner, folder: Path, **methods: Any) -> dict[str, int]:
    options = ["-n", "--snakefile", str(project / "Snakefile"), "--directory", str(project)]
    code, text = planner.call(
        [*options, "--configfile", written(folder, configuration(project / "painter", **methods))]
    )
    assert code == 0, text
    return planned_in(text)


def test_the_mean_of_two_seeds_is_their_mean(project: Path) -> None:
    seeds = [load_file(project / RUNS / f"regft/seed{seed}/encoder.safetensors") for seed in (0, 1)]
    mean = load_file(project / RUNS / "soup/seed0/encoder.safetensors")
    assert any(not torch.equal(seeds[0][name], seeds[1][name]) for name in mean)
    for name, tensor in mean.items():
        torch.testing.assert_close(tensor, (seeds[0][name] + seeds[1][name]) / 2)


def test_neighbors_vote_as_they_do_by_hand(project: Path) -> None:
    cache = load_file(project / RUNS / "neighbors/seed0/cache.safetensors")
    scores = pq.read_table(project / RUNS / "neighbors/seed0/held-out/scores.parquet").to_pandas()
    table = pd.concat(
        pq.read_table(path).to_pandas() for path in sorted((project / "results/shared/embeddings").rglob("*.parquet"))
    )
    held_out = table[table["index"] >= PER_CLASS - HELD_OUT]
    assert len(held_out) == len(scores) == CLASSES * HELD_OUT
    hits = 0.0
    for label, embedding in zip(held_out["label"], held_out["embedding"], strict=True):
        nearest = (cache["embeddings"] @ torch.tensor(embedding)).topk(3)
        votes = torch.zeros(CLASSES).index_add(0, cache["labels"][nearest.indices], nearest.values)
        hits += float(votes.argmax() == label)
    assert float((scores["top_classes"].str[0] == scores["label"]).sum()) == hits
    assert 0 < hits < CLASSES * HELD_OUT


def test_each_is_measured_at_the_alphas_that_it_has(project: Path) -> None:
    alphas = {
        name: set(pd.read_csv(project / RUNS / f"{name}/seed0/metrics.csv", dtype={"alpha": str})["alpha"])
        for name in METHODS
    }
    assert alphas == {"neighbors": {"1.00"}, "soup": {"0.50", "1.00"}}


def test_both_stand_on_the_page(project: Path) -> None:
    page = (project / "results/small/report/index.html").read_text()
    for name in METHODS:
        assert re.search(rf"<t[hd][^>]*>\s*{name}\b", page), name
    assert not (project / RUNS / "neighbors/seed0/train.jsonl").exists()


AFTER_METRICS = {"select_alpha", "export_model", "draw_figures", "write_page"}
AFTER_IMAGES = {"score_images", "compute_metrics", *AFTER_METRICS}
TRAINED = {"embed_images", "train_finetune", "train_neighbors", "train_mean_of_seeds"}
DRAWN = {"generate_images", "collect_generated_images", *TRAINED, *AFTER_IMAGES}
READ = {"convert_real_images", "collect_real_images", "pretrain_clip", "build_zero_shot_head", *TRAINED, *AFTER_IMAGES}


@contextmanager
def edited(path: Path, text: str) -> Iterator[None]:
    original = path.read_text()
    try:
        path.write_text(text)
        yield
    finally:
        path.write_text(original)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("report/figures/spread.py", {"draw_figures", "write_page"}),
        ("evaluation/metrics/surprise.py", {"compute_metrics", *AFTER_METRICS}),
        ("selection/pickers/confident.py", AFTER_METRICS),
        ("real_images/kinds/flags.py", READ),
        ("common/image_checks/dim.py", DRAWN),
        ("generation/drawers/palette.py", DRAWN),
    ],
)
def test_an_edit_reruns_what_uses_the_part(
    module: str, expected: set[str], project: Path, planner: Planner, tmp_path: Path
) -> None:
    path = project / PACKAGE / module
    with edited(path, path.read_text() + "\nEDITED = 1\n"):
        assert set(plan(project, planner, tmp_path, **METHODS)) == expected


MEASURED = {"score_images": 2, "compute_metrics": 1, "select_alpha": 1}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("neighbors/__main__.py", {"train_neighbors": 1, **MEASURED}),
        ("neighbors/classifier.py", MEASURED),
        ("mean_of_seeds/__main__.py", {"train_mean_of_seeds": 1, **MEASURED, "export_model": 1}),
        (
            "finetune/task.py",
            {
                "train_finetune": 2,
                "train_mean_of_seeds": 1,
                "score_images": 6,
                "compute_metrics": 3,
                "select_alpha": 3,
                "export_model": 3,
            },
        ),
    ],
)
def test_an_edit_reruns_its_kind_alone(
    module: str, expected: dict[str, int], project: Path, planner: Planner, tmp_path: Path
) -> None:
    path = project / PACKAGE / "training" / module
    with edited(path, path.read_text() + "\nEDITED = 1\n"):
        assert plan(project, planner, tmp_path, **METHODS) == {**expected, "draw_figures": 1, "write_page": 1}


@pytest.mark.parametrize(
    ("registry", "line", "methods", "expected"),
    [
        ("training/methods.py", METHOD_LINES, {}, {"draw_figures", "write_page"}),
        ("report/figures/registry.py", '    "spread",\n', METHODS, {"draw_figures", "write_page"}),
        (
            "evaluation/metrics/registry.py",
            '    "surprise",\n',
            METHODS,
            {"compute_metrics", *AFTER_METRICS},
        ),
        ("real_images/kinds/registry.py", '    "none",\n', METHODS, set()),
        ("generation/drawers/registry.py", '    "diffusers_pipeline": "text-to-image",\n', METHODS, set()),
        ("common/image_checks/registry.py", '    "dim",\n', METHODS, DRAWN),
    ],
)
def test_a_part_that_goes_takes_nothing_else_with_it(
    registry: str,
    line: str,
    methods: dict[str, Any],
    expected: set[str],
    project: Path,
    planner: Planner,
    tmp_path: Path,
) -> None:
    path = project / PACKAGE / registry
    with edited(path, path.read_text().replace(line, "")):
        assert set(plan(project, planner, tmp_path, **methods)) == expected


def test_the_registry_of_pickers_is_in_no_digest(project: Path, planner: Planner, tmp_path: Path) -> None:
    path = project / PACKAGE / "selection/pickers/registry.py"
    with edited(
        path, path.read_text().replace('    "oracle",\n', "").replace('    "fixed",\n', '    "oracle",\n    "fixed",\n')
    ):
        assert plan(project, planner, tmp_path, **METHODS) == {}


@pytest.mark.parametrize(
    ("methods", "error"),
    [
        (
            {"neighbors": {**METHODS["neighbors"], "averaging": {"kind": "soup"}}},
            "methods.neighbors.averaging: this kind is not trained step by step; leave it out",
        ),
        ({"soup": {"kind": "mean-of-seeds", "of": "other"}}, "methods.soup: 'other' is not defined"),
        ({"soup": {"kind": "mean-of-seeds", "of": "soup"}}, "methods.soup: builds on itself: soup -> soup"),
        (
            {"soup": {"kind": "mean-of-seeds", "of": "real"}, "real": {"kind": "finetune", "train_on": "real"}},
            "methods.soup: builds on 'real', but no run of it goes before results/small/runs/flags/",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_any_job(
    methods: dict[str, Any], error: str, project: Path, planner: Planner, tmp_path: Path
) -> None:
    options = ["-n", "--snakefile", str(project / "Snakefile"), "--directory", str(project)]
    code, text = planner.call(
        [*options, "--configfile", written(tmp_path, configuration(project / "painter", **methods))]
    )
    assert code == 1
    assert error in text
