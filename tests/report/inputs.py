"""Small made-up inputs of the report: metric tables, logs, images, metadata, and what a browser would read."""

import json
from collections.abc import Collection, Iterable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.common.constants import METRIC_COLUMNS
from workflow_scripts.common.images import encode_png
from workflow_scripts.common.selection_file import Selection
from workflow_scripts.common.shards import ImageRow, write_image_manifest, write_shard
from workflow_scripts.report.figure import FigureInputs
from workflow_scripts.report.settings import ReportComparison

HOSTILE = ['<script>alert("pwned")</script>', '$x^2$ & "q" $', "plain"]

ACCURACY = {
    "zero-shot": {"0.00": 0.6},
    "plain": {"0.00": 0.6, "0.30": 0.68, "0.50": 0.7, "1.00": 0.5},
    "regft": {"0.00": 0.6, "0.30": 0.62, "0.50": 0.65, "1.00": 0.72},
    "student": {"1.00": 0.66},
}
"""Top-1 accuracy on the mean of the domains, by method and alpha."""

OFFSETS = {"photo": 0.1, "sketch": -0.1, "mean": 0.0, "held-out": 0.2}


def metric_rows(
    method: str, *, dataset: str = "toys", seed: int = 0, shift: float = 0.0, domains: Iterable[str] = OFFSETS
) -> list[dict[str, Any]]:
    """Return one run's metric rows; NLL falls where accuracy rises, and `shift` moves accuracy only."""
    source = "none" if method == "zero-shot" else "gen"
    rows = []
    for alpha, accuracy in ACCURACY[method].items():
        for domain in domains:
            if method == "zero-shot" and domain == "held-out":
                continue
            top1 = accuracy + OFFSETS[domain] + shift
            for metric, value in {"top1": top1, "nll": 1.0 - accuracy, "ece": 0.125}.items():
                keys = [dataset, source, "clip", method, seed, alpha, domain, "all", "all", metric]
                rows.append(dict(zip(METRIC_COLUMNS, [*keys, value, value - 0.05, value + 0.04], strict=True)))
    return rows


def selections_of(metrics: pd.DataFrame, *, fixed: str = "0.30") -> list[Selection]:
    """Return what a fixed alpha and the oracle choose for every run of metric tables."""
    selections = []
    for keys, rows in metrics.groupby(["dataset", "source", "clip", "method", "seed"], sort=False):
        top1 = rows[(rows["metric"] == "top1") & (rows["label_set"] == "all") & (rows["domain"] == "mean")]
        values: dict[str, float] = dict(zip(top1["alpha"], top1["value"], strict=True))
        best = max(sorted(values), key=lambda alpha: values[alpha], default=None)
        run: Any = keys
        selections.append(selection(*run, alphas=sorted(set(rows["alpha"])), fixed=fixed, oracle=best))
    return selections


def selection(
    dataset: str = "toys",
    source: str = "gen",
    clip: str = "clip",
    method: str = "plain",
    seed: int = 0,
    *,
    alphas: Sequence[str],
    oracle: str | None,
    fixed: str = "0.30",
    **more: str | None,
) -> Selection:
    """Return a run's selection; `more` are further honest pickers with their alphas, which stand before the oracle."""
    if len(alphas) == 1:
        fixed, oracle, more = alphas[0], alphas[0], dict.fromkeys(more, alphas[0])
    texts: dict[str, Any] = {"explanation": "How it chooses.", "criterion": None, "values": {}}
    choices = [
        {"picker": "fixed", "title": "fixed beforehand", "looked_at": [], "alpha": fixed, **texts},
        *({"picker": n, "title": f"by {n}", "looked_at": ["held-out"], "alpha": a, **texts} for n, a in more.items()),
        {"picker": "oracle", "title": "oracle", "looked_at": ["test-labels"], "alpha": oracle, **texts},
    ]
    run = {"dataset": dataset, "source": source, "clip": clip, "method": method, "seed": int(seed)}
    return Selection.parse(json.dumps({**run, "alphas": list(alphas), "choices": choices}))


def write_selections(folder: Path, selections: Iterable[Selection]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, item in enumerate(selections):
        paths.append(folder / f"selection{number}.json")
        paths[-1].write_text(item.model_dump_json())
    return paths


def write_metrics(folder: Path, rows: Sequence[dict[str, Any]], name: str = "metrics") -> Path:
    path = folder / f"{name}.csv"
    pd.DataFrame(rows, columns=list(METRIC_COLUMNS)).to_csv(path, index=False)
    return path


def standard_metrics(folder: Path) -> list[Path]:
    """Write the metric tables of zero-shot, plain with two seeds, regft, and a student with one alpha."""
    runs = [("zero-shot", 0, 0.0), ("plain", 0, 0.0), ("plain", 1, 0.02), ("regft", 0, 0.0), ("student", 0, 0.0)]
    return [
        write_metrics(folder, metric_rows(method, seed=seed, shift=shift), f"{method}{seed}")
        for method, seed, shift in runs
    ]


def write_images(
    folder: Path,
    *,
    source: str,
    domain: str,
    side: int = 8,
    per_class: int = 4,
    classes: Sequence[str] = HOSTILE,
    flagged: Collection[tuple[int, int]] = (),
    black: Collection[tuple[int, int]] = (),
    **provenance: Any,
) -> Path:
    """Write a set of images whose gray value tells class and index: 40 x label + index.

    `flagged` and `black` name those that are marked so, by label and index.
    """
    rows = [
        ImageRow(
            image=encode_png(np.full((side, side), (40 * label + index) % 256, dtype=np.uint8)),
            label=label,
            class_name=name,
            domain=domain,
            index=index,
            image_id=f"{label}-{index}",
            checks={"flagged": (label, index) in flagged, "black": (label, index) in black},
        )
        for index in range(per_class)
        for label, name in enumerate(classes)
    ]
    shard = folder / "images" / source / domain / "shards/00000.parquet"
    write_shard(shard, rows, provenance={"classes": list(classes), **provenance}, checks=("flagged", "black"))
    manifest = shard.parent.parent / "manifest.json"
    write_image_manifest(manifest, [shard], dataset="toys", source=source, domain=domain)
    return manifest


def write_training_log(folder: Path, *, method: str, seed: int = 0, start: float = 0.0, **further: Any) -> Path:
    """Write a log of two validation intervals of five steps; cross-entropy is `start` + step."""
    path = folder / f"results/toys/runs/gen/clip/{method}/seed{seed}/train.jsonl"
    steps = [
        {
            "kind": "step",
            "interval": step // 5,
            "step": step,
            "cross_entropy": start + step,
            "accuracy": 0.5,
            "learning_rate": 1e-4,
            **further,
        }
        for step in range(10)
    ]
    validations = [
        {"kind": "validation", "interval": interval, "held_out_accuracy": 0.25 * (interval + 1), "held_out_loss": start}
        for interval in range(2)
    ]
    lines = [*steps[:5], validations[0], *steps[5:], validations[1]]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_run_metadata(folder: Path, *, method: str, note: str = "") -> Path:
    path = folder / f"results/toys/runs/gen/clip/{method}/seed0/metadata.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    environment = {"device": "cpu", "threads": 1, "libraries": {"torch": "9.8.7"}}
    path.write_text(json.dumps({"settings": {"epochs": 3}, "environment": environment, "note": note}))
    return path


def write_model(folder: Path, name: str, **origin: Any) -> Path:
    path = folder / f"results/models/{name}/manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"folder": ".", "files": [], "origin": origin}))
    return path


class Tables(HTMLParser):
    """Reads every table of a page as rows of texts, under its `aria-label`."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._label = ""
        self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if label := dict(attrs).get("aria-label"):
            self._label = label
            self.tables.setdefault(label, [])
        if tag == "tr":
            self.tables[self._label].append([])
        if tag in ("td", "th"):
            self._cell = True
            self.tables[self._label][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._cell:
            row = self.tables[self._label][-1]
            row[-1] = f"{row[-1]} {data.strip()}".strip()


def tables_of(page: str) -> dict[str, list[list[str]]]:
    parser = Tables()
    parser.feed(page)
    return parser.tables


def figure_inputs(*, training_images: Sequence[Path], inspections: Sequence[Path]) -> FigureInputs:
    """Return what a figure of pictures is drawn from: no metrics, no logs."""
    return FigureInputs(
        comparison=ReportComparison(dataset="toys", source="gen", clip="clip", methods=("plain",), seeds=(0,)),
        metrics=pd.DataFrame(columns=list(METRIC_COLUMNS)),
        training_logs=(),
        training_images=tuple(training_images),
        test_images=(),
        inspections=tuple(inspections),
        selections=(),
        images_per_class=2,
    )
