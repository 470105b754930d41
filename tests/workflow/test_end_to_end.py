"""The digits preset twice: everything is there, it is bit-identical, and the second run does nothing."""

import json
import re
import shutil
from pathlib import Path

import open_clip
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from tests.workflow.harness import copy_project, digests, digits_with, locations, run, small_files

RUN = "results/digits/runs/digits/digits-diffusion/digits-clip"
WHERE = locations(digits_with())


def test_a_second_run_does_nothing(finished: Path) -> None:
    again = run(finished)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


# `make test` compares a run on SLURM and one as a module with the undisturbed one.
@pytest.mark.full
def test_two_runs_from_nothing_are_bit_identical(undisturbed: Path, tmp_path: Path) -> None:
    # The project is read-only to a user who keeps results elsewhere: --directory, from "/", not activated.
    project = copy_project(tmp_path / "project")
    elsewhere = tmp_path / "work"
    elsewhere.mkdir()
    result = run(project, *small_files(), directory=elsewhere)
    assert result.returncode == 0, result.stderr[-5000:]
    first, second = digests(undisturbed / "results"), digests(elsewhere / "results")
    assert len(first) > 35
    assert first == second
    assert not (project / "results").exists()


def test_two_configurations_in_turn_leave_each_others_results_alone(undisturbed: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(undisturbed, project, symlinks=True)
    exports = 'exports=["0.50"]'
    first = run(project, *small_files(), "--config", exports)
    assert first.returncode == 0, first.stderr[-3000:]
    own = project / "results/small"
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    # Equal names of methods, other settings: another name is another place, and what is equal is not made again.
    second = run(project, *small_files(), "--config", exports, "name=other", "set={methods.regft.epochs: 2}")
    assert second.returncode == 0, second.stderr[-3000:]
    assert not re.search("rule (generate_images|pretrain_clip|convert_real_images|embed_images):", second.stderr)
    run_folder = "runs/digits/digits-diffusion/digits-clip/regft/seed0"
    metadata = {
        name: json.loads((project / f"results/{name}/{run_folder}/metadata.json").read_text())
        for name in ("small", "other")
    }
    epochs = {name: content["settings"]["method"]["epochs"] for name, content in metadata.items()}
    assert epochs == {"small": 4, "other": 2}
    third = run(project, *small_files(), "--config", exports)
    assert "Nothing to be done" in third.stdout + third.stderr
    assert {path: path.read_bytes() for path in own.rglob("*") if path.is_file()} == before
    names = {path.name for path in before}
    assert {"index.html", "metadata.json", "open_clip_model.safetensors", "head.safetensors"} <= names


def test_the_metric_table_says_what_was_measured(finished: Path) -> None:
    table = pd.read_csv(finished / "results/digits/report/metrics.csv", dtype={"alpha": str}, keep_default_na=False)
    top1 = table[(table.metric == "top1") & (table.label_set == "all")].set_index(["method", "alpha", "domain"]).value
    zero_shot = top1["zero-shot", "0.00", "photo"]
    assert zero_shot > 0.4
    for method in ("plain", "regft"):
        assert top1[method, "0.00", "photo"] == pytest.approx(zero_shot)
        assert top1[method, "1.00", "held-out"] > top1[method, "0.00", "held-out"] - 0.1
        for domain in ("photo", "negative", "mean", "held-out"):
            assert 0.0 <= top1[method, "0.50", domain] <= 1.0
    # The bootstrap of a calibration error is biased upwards: only its interval may lie above the value.
    others = table[table.metric != "ece"]
    assert (others.low <= others.value + 1e-9).all()
    assert (table.value <= table.high + 1e-9).all()
    assert set(table.metric) == {"top1", "top5", "mean_per_class", "nll", "brier", "ece"}
    assert set(table[table.method == "zero-shot"].source) == {"none"}


def test_metrics_agree_with_the_scores(finished: Path) -> None:
    scores = pq.read_table(finished / RUN / "regft/seed0/photo/scores.parquet").to_pandas()
    assert sorted(set(scores.alpha)) == ["0.00", "0.50", "1.00"]
    half = scores[(scores.alpha == "0.50") & (scores.label_set == "all")]
    assert len(half) == 397
    hits = [top[0] == label for top, label in zip(half.top_classes, half.label, strict=True)]
    table = pd.read_csv(finished / RUN / "regft/seed0/metrics.csv", dtype={"alpha": str})
    row = table[
        (table.alpha == "0.50") & (table.label_set == "all") & (table.domain == "photo") & (table.metric == "top1")
    ]
    assert float(row.value.iloc[0]) == pytest.approx(sum(hits) / len(hits), abs=1e-6)


def test_training_logs_hold_every_step(finished: Path) -> None:
    lines = [json.loads(line) for line in (finished / RUN / "regft/seed0/train.jsonl").read_text().splitlines()]
    metadata = json.loads((finished / RUN / "regft/seed0/metadata.json").read_text())
    steps = [line for line in lines if line["kind"] == "step"]
    # 16 images per class and domain, 13 of them for training, ten classes, two domains, batches of 64, five epochs.
    assert metadata["training_images"] == 260
    assert len(steps) == metadata["steps"] == 4 * 5
    first = steps[0]
    expected = first["cross_entropy"] + 0.16 * first["variance"] + 0.02 * first["covariance"]
    assert first["loss"] == pytest.approx(expected, rel=1e-5)
    plain = json.loads((finished / RUN / "plain/seed0/train.jsonl").read_text().splitlines()[0])
    assert plain["loss"] == plain["cross_entropy"]
    assert not list((finished / RUN).rglob("checkpoint-*"))


def test_an_export_loads_in_plain_open_clip_and_scores_like_the_grid(finished: Path) -> None:
    folder = finished / RUN / "regft/seed0/exports/fixed"
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    head = load_file(folder / "head.safetensors")
    classes = json.loads((folder / "classes.json").read_text())
    assert classes[3] == "three"
    shard = finished / WHERE.shards("digits", "real-test", "photo")[0]
    rows = pq.read_table(shard).to_pylist()
    import io

    from PIL import Image

    pictures = [Image.open(io.BytesIO(row["image"]["bytes"])) for row in rows[:50]]
    with torch.no_grad():
        features = model.encode_image(torch.stack([preprocess(picture) for picture in pictures]), normalize=True)
    logits = features @ head["weight"].T + head["bias"]
    scores = pq.read_table(finished / RUN / "regft/seed0/photo/scores.parquet").to_pandas()
    half = scores[scores.alpha == "0.50"].iloc[:50]
    torch.testing.assert_close(
        logits.max(dim=1).values, torch.tensor([top[0] for top in half.top_logits]), rtol=1e-4, atol=1e-3
    )


def test_a_further_alpha_is_scored_alone(finished: Path, tmp_path: Path) -> None:
    import shutil

    import yaml

    copy = tmp_path / "copy"
    shutil.copytree(finished, copy, symlinks=True)
    overlay = tmp_path / "more.yaml"
    overlay.write_text(yaml.safe_dump({"alphas": ["0.00", "0.25", "0.50", "1.00"]}))
    target = f"{RUN}/plain/seed0/photo/scores.parquet"
    before = {path.name: path.stat().st_mtime_ns for path in (copy / target).with_name("scores.parts").iterdir()}
    result = run(copy, target, "--configfile", str(copy / "presets/digits.yaml"), str(overlay))
    assert result.returncode == 0, result.stderr[-3000:]
    assert "alphas reused: 0.00, 0.50, 1.00; to score: 0.25" in result.stderr
    after = {path.name: path.stat().st_mtime_ns for path in (copy / target).with_name("scores.parts").iterdir()}
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1
