"""A stranger's two kinds of method, each one package and one line of the registry, run from images to the page."""

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.workflow.harness import Planner, copy_project, merge, planned_in, run, small_configuration

ADDED = Path(__file__).with_name("added_methods")
KINDS = ("neighbors", "mean_of_seeds")
LAST_LINE = '    "vl2v_adip",\n'
ADDED_LINES = "".join(f'    "{kind}",\n' for kind in KINDS)
REGISTRY = "workflow_scripts/training/methods.py"
RUNS = "results/small/runs/digits/digits-diffusion/digits-clip"

METHODS: dict[str, Any] = {
    "neighbors": {"kind": "neighbors", "count": 3},
    "soup": {"kind": "mean-of-seeds", "of": "regft"},
}


PHOTOS: dict[str, Any] = {
    "datasets": {"digits": {"images": {"domains": ["photo"]}}},
    "clips": {"digits-clip": {"corpus": {"mixture_weights": {"photo": 1}}}},
    "generators": {"digits-diffusion": {"checkpoint": {"corpus": {"mixture_weights": {"photo": 1}}}}},
}


def configuration(**methods: Any) -> dict[str, Any]:
    """Return the smallest configuration in a single domain, with some more methods beside its own, of two seeds."""
    config = merge(merge(small_configuration(), PHOTOS), {"methods": methods})
    del config["clips"]["digits-clip"]["corpus"]["mixture_weights"]["negative"]
    del config["generators"]["digits-diffusion"]["checkpoint"]["corpus"]["mixture_weights"]["negative"]
    del config["datasets"]["digits"]["prompts"]["domains"]["negative"]
    block = {**config["runs"][0], "seeds": [0, 1]}
    more = [{**block, "methods": [name], "seeds": [0]} for name in methods if name in METHODS]
    return {**config, "runs": [block, *more]}


def written(folder: Path, config: dict[str, Any]) -> str:
    path = folder / "configuration.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with two more kinds of method, in which they have run."""
    project = copy_project(tmp_path_factory.mktemp("added") / "project")
    for kind in KINDS:
        shutil.copytree(ADDED / kind, project / "workflow_scripts/training" / kind)
    registry = project / REGISTRY
    lines = registry.read_text()
    registry.write_text(
        lines.replace('    "vl2v_adip",\n', '    "vl2v_adip",\n    "neighbors",\n    "mean_of_seeds",\n')
    )
    result = run(project, "--configfile", written(project, configuration(**METHODS)))
    assert result.returncode == 0, result.stderr[-5000:]
    return project


def plan(project: Path, planner: Planner, folder: Path, config: dict[str, Any]) -> dict[str, int]:
    options = ["-n", "--snakefile", str(project / "Snakefile"), "--directory", str(project)]
    code, text = planner.call([*options, "--configfile", written(folder, config)])
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
    held_out = table[table["index"] >= 6]
    assert len(held_out) == len(scores[scores["label_set"] == "all"]) == 20
    hits = 0.0
    for label, embedding in zip(held_out["label"], held_out["embedding"], strict=True):
        nearest = (cache["embeddings"] @ torch.tensor(embedding)).topk(3)
        votes = torch.zeros(10).index_add(0, cache["labels"][nearest.indices], nearest.values)
        hits += float(votes.argmax() == label)
    whole = scores[scores["label_set"] == "all"]
    assert float((whole["top_classes"].str[0] == whole["label"]).sum()) == hits
    assert 0 < hits < 20


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


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("neighbors/__main__.py", {"train_neighbors": 1, "score_images": 2, "compute_metrics": 1}),
        ("neighbors/classifier.py", {"score_images": 2, "compute_metrics": 1}),
        ("mean_of_seeds/__main__.py", {"train_mean_of_seeds": 1, "score_images": 2, "compute_metrics": 1}),
        ("finetune/task.py", {"train_finetune": 2, "train_mean_of_seeds": 1, "score_images": 6, "compute_metrics": 3}),
    ],
)
def test_an_edit_reruns_its_kind_alone(
    module: str, expected: dict[str, int], project: Path, planner: Planner, tmp_path: Path
) -> None:
    path = project / "workflow_scripts/training" / module
    original = path.read_text()
    try:
        path.write_text(original + "\nEDITED = 1\n")
        planned = plan(project, planner, tmp_path, configuration(**METHODS))
    finally:
        path.write_text(original)
    assert planned == {**expected, "draw_figures": 1, "write_page": 1}


def test_a_kind_that_goes_takes_nothing_else_with_it(project: Path, planner: Planner, tmp_path: Path) -> None:
    registry = project / REGISTRY
    original = registry.read_text()
    try:
        registry.write_text(original.replace(ADDED_LINES, ""))
        planned = plan(project, planner, tmp_path, configuration())
    finally:
        registry.write_text(original)
    assert planned == {"draw_figures": 1, "write_page": 1}


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
            "methods.soup: builds on 'real', but no run of it goes before results/small/runs/digits/",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_any_job(
    methods: dict[str, Any], error: str, project: Path, planner: Planner, tmp_path: Path
) -> None:
    options = ["-n", "--snakefile", str(project / "Snakefile"), "--directory", str(project)]
    code, text = planner.call([*options, "--configfile", written(tmp_path, configuration(**methods))])
    assert code == 1
    assert error in text
