"""The report: right numbers under right names, names escaped, nothing fetched."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workflow_scripts.ground.errors import InputError
from workflow_scripts.ground.images import encode_png
from workflow_scripts.ground.shards import ImageRow, write_image_manifest, write_shard
from workflow_scripts.report import figures, page
from workflow_scripts.report.costs import read_costs
from workflow_scripts.report.tables import COLUMNS, domains_of, headline_rows, oracle_alpha, over_seeds, read_metrics

HOSTILE = ['<script>document.title="pwned"</script>', '$x^2$ & "q"', "plain"]
ACCURACY = {
    ("plain", "0.00"): 0.6,
    ("plain", "0.50"): 0.7,
    ("plain", "1.00"): 0.5,
    ("regft", "0.00"): 0.6,
    ("regft", "0.50"): 0.65,
    ("regft", "1.00"): 0.72,
}


def metric_rows(method: str, seed: int, shift: float = 0.0) -> list[dict[str, Any]]:
    zero_shot = method == "zero-shot"
    rows = []
    for (name, alpha), value in {("zero-shot", "0.00"): 0.6, **ACCURACY}.items():
        for domain, offset in {"photo": 0.1, "sketch": -0.1, "mean": 0.0, "held-out": 0.2}.items():
            if name != method or (zero_shot and domain == "held-out"):
                continue
            for metric, found in {"top1": value + offset + shift, "nll": 1.0 - value}.items():
                rows.append(
                    dict(
                        zip(
                            COLUMNS,
                            ["toys", "none" if zero_shot else "gen", "clip", method, seed, alpha, domain, "all", "all",
                             metric, found, found - 0.05, found + 0.05],
                            strict=True,
                        )
                    )
                )  # fmt: skip
    return rows


@pytest.fixture
def metrics(tmp_path: Path) -> list[Path]:
    paths = []
    for method, seed, shift in (("zero-shot", 0, 0.0), ("plain", 0, 0.0), ("plain", 1, 0.02), ("regft", 0, 0.0)):
        paths.append(tmp_path / f"{method}{seed}.csv")
        pd.DataFrame(metric_rows(method, seed, shift)).to_csv(paths[-1], index=False)
    return paths


def images(folder: Path, source: str, domain: str) -> Path:
    rows = [
        ImageRow(
            image=encode_png(np.full((8, 8), 20 * k, dtype=np.uint8)),
            label=k % 3,
            class_name=HOSTILE[k % 3],
            style=domain,
            index=k // 3,
            source_image=str(k),
        )
        for k in range(12)
    ]
    shard = folder / source / domain / "0.parquet"
    write_shard(shard, rows, provenance={"classes": HOSTILE})
    write_image_manifest(shard.with_name("manifest.json"), [shard], dataset="toys", source=source, domain=domain)
    return shard.with_name("manifest.json")


def log(folder: Path) -> Path:
    path = folder / "results/toys/runs/gen/clip/plain/seed0/train.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = [
        {
            "kind": "step",
            "epoch": k // 5,
            "step": k,
            "cross_entropy": 1 / (k + 1),
            "learning_rate": 0.1,
            "accuracy": 0.5,
        }
        for k in range(10)
    ]
    epochs = [{"kind": "epoch", "epoch": k, "held_out_accuracy": 0.4} for k in range(2)]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*steps, *epochs]))
    return path


def draw_figures(folder: Path, metrics: list[Path], **changes: Any) -> dict[str, Path]:
    target = folder / "figures/toys/gen/clip"
    settings = {"dataset": "toys", "source": "gen", "clip": "clip", "fixed_alpha": "0.50"}
    found = {name: target / f"{name}.png" for name in ("images", "alphas", "training")}
    values = {
        "settings": json.dumps(settings),
        "metrics": metrics,
        "logs": [log(folder)],
        "generated": [images(folder, "gen", "photo")],
        "real": [images(folder, "real-test", "photo")],
        **found,
        **changes,
    }
    figures.job(type("Options", (), values)())
    return found


def write_page(folder: Path, metrics: list[Path], drawn: dict[str, Path], costs: Path | None = None) -> str:
    record = folder / "results/toys/runs/gen/clip/plain/seed0/record.json"
    record.write_text(json.dumps({"settings": {"epochs": 3}, "note": HOSTILE[0]}))
    settings = {
        "title": HOSTILE[0],
        "fixed_alpha": "0.50",
        "comparisons": [
            {
                "dataset": "toys",
                "source": "gen",
                "clip": "clip",
                "methods": ["zero-shot", "plain", "regft"],
                "seeds": [0, 1],
            }
        ],
    }
    values = {
        "settings": json.dumps(settings),
        "metrics": metrics,
        "records": [record],
        "manifests": [images(folder, "gen", "photo")],
        "figures": list(drawn.values()),
        "costs": costs,
        "output": folder / "index.html",
        "table": folder / "metrics.csv",
    }
    page.job(type("Options", (), values)())
    return (folder / "index.html").read_text()


def test_rows_of_the_headline_table(metrics: list[Path]) -> None:
    table = read_metrics(metrics)
    means, domains = over_seeds(table), domains_of(table)
    assert domains == ["photo", "sketch", "mean", "held-out"]
    assert oracle_alpha(means, method="plain", domain="mean") == "0.50"
    assert oracle_alpha(means, method="regft", domain="mean") == "1.00"
    rows = headline_rows(means, domains=domains, fixed_alpha="0.50")
    assert [(row.method, row.alpha, row.why.split(",")[0]) for row in rows] == [
        ("zero-shot", "0.00", "nothing trained"),
        ("plain", "0.00", "pre-trained end"),
        ("plain", "1.00", "fine-tuned end"),
        ("plain", "0.50", "fixed beforehand"),
        ("plain", "0.50", "oracle"),
        ("regft", "0.00", "pre-trained end"),
        ("regft", "1.00", "fine-tuned end"),
        ("regft", "0.50", "fixed beforehand"),
        ("regft", "1.00", "oracle"),
    ]
    fixed = rows[3].cells
    assert fixed[2] is not None
    assert fixed[2].value == pytest.approx(0.71)
    assert fixed[2].seeds == 2
    assert fixed[2].spread == pytest.approx(0.01)
    assert rows[0].cells[3] is None
    best = [(row.method, row.alpha) for row in rows if row.cells[2] is not None and row.cells[2].best]
    assert best == [("regft", "1.00")]
    assert not rows[8].cells[2].best  # type: ignore[union-attr]


def test_lower_is_better_where_it_is(metrics: list[Path]) -> None:
    means = over_seeds(read_metrics(metrics))
    rows = headline_rows(means, domains=["mean"], fixed_alpha="0.50", metric="nll")
    best = min(cell.value for row in rows for cell in row.cells if cell is not None)
    assert [row.alpha for row in rows if row.cells[0] is not None and row.cells[0].best] == ["1.00"]
    assert best == pytest.approx(0.28)


def test_figures_are_drawn_and_repeat_bit_for_bit(tmp_path: Path, metrics: list[Path]) -> None:
    first = {name: path.read_bytes() for name, path in draw_figures(tmp_path, metrics).items()}
    again = {name: path.read_bytes() for name, path in draw_figures(tmp_path, metrics).items()}
    assert first == again
    assert all(content.startswith(b"\x89PNG") for content in first.values())
    empty = draw_figures(tmp_path, [], logs=[], generated=[], real=[])
    assert all(len(path.read_bytes()) < len(first[name]) for name, path in empty.items())


def test_the_page_holds_the_numbers_and_no_foreign_script(tmp_path: Path, metrics: list[Path]) -> None:
    text = write_page(tmp_path, metrics, draw_figures(tmp_path, metrics))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    rows = re.findall(r"<tr class=\"[^\"]*\">(.*?)</tr>", text, flags=re.DOTALL)
    fixed = next(row for row in rows if "fixed beforehand" in row and ">regft<" in row)
    assert re.findall(r"\">(\d+\.\d)</span>", fixed) == ["75.0", "55.0", "65.0", "85.0"]
    assert "oracle, chosen on the test images" in text
    assert "No cost was measured" in text
    assert len(pd.read_csv(tmp_path / "metrics.csv")) == sum(len(pd.read_csv(path)) for path in metrics)


def test_costs_are_added_up(tmp_path: Path, metrics: list[Path]) -> None:
    for number, seconds in enumerate((3.0, 4.0)):
        path = tmp_path / f"benchmarks/finetune/toys/{number}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\tmax_rss\tcpu_time\n{seconds}\t{100 + number}\t2.5\n")
    (tmp_path / "benchmarks/finetune/toys/broken.tsv").write_text("")
    (cost,) = read_costs(tmp_path / "benchmarks")
    assert (cost.rule, cost.jobs, cost.wall_seconds, cost.cpu_seconds, cost.peak_megabytes) == (
        "finetune",
        2,
        7.0,
        5.0,
        101.0,
    )
    text = write_page(tmp_path, metrics, draw_figures(tmp_path, metrics), tmp_path / "benchmarks")
    assert "<td>7.0</td><td>5.0</td><td>101</td>" in text


def test_a_table_without_a_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("dataset,alpha\nx,0.00\n")
    with pytest.raises(InputError, match=r"bad\.csv: columns are missing: source, clip"):
        read_metrics([tmp_path / "bad.csv"])


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_browser_shows_the_page(tmp_path: Path, metrics: list[Path]) -> None:
    write_page(tmp_path, metrics, draw_figures(tmp_path, metrics))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
    command += [
        "--disable-background-networking",
        "--disable-component-update",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    shot = tmp_path / "page.png"
    for option in ("--dump-dom", f"--screenshot={shot}"):
        found = subprocess.run(
            [*command, option, (tmp_path / "index.html").as_uri()],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        if option == "--dump-dom":
            title = re.search(r"<title>(.*?)</title>", found.stdout)
            assert title is not None
            assert title.group(1) != "pwned"
            assert found.stdout.count("<img") == 3
    assert shot.stat().st_size > 10_000
