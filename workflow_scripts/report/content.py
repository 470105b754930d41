"""What the page says, gathered from the files that the workflow wrote."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workflow_scripts.ground.manifests import read_manifest
from workflow_scripts.report.settings import PageComparison, PageSettings
from workflow_scripts.report.tables import (
    HELD_OUT,
    MEAN,
    METRIC_NAMES,
    ZERO_SHOT,
    Cell,
    Row,
    comparison_metrics,
    domains_of,
    headline_rows,
    over_seeds,
)

FIGURE_TEXTS = {
    "images": "Generated images of each class and style beside real test images",
    "alphas": "Top-1 accuracy over the weight of the fine-tuned end, on every domain",
    "training": "Training curves of every method",
}


@dataclass(frozen=True)
class MetricTable:
    """One metric's table: a row per method and alpha, a column per domain."""

    name: str
    percent: bool
    domains: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Section:
    """One comparison on the page."""

    anchor: str
    comparison: PageComparison
    classes: tuple[str, ...]
    tables: tuple[MetricTable, ...]
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Model:
    """One model: its name, where it comes from, and what it has seen."""

    name: str
    origin: str
    seen: str


def data_uri(content: bytes) -> str:
    """Return a PNG as a data URI, so that the page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(content).decode()


def domain_title(domain: str) -> str:
    """Return what a domain is called on the page."""
    return {MEAN: "mean of real domains", HELD_OUT: "generated, held out"}.get(domain, f"real: {domain}")


def sections(
    settings: PageSettings, metrics: pd.DataFrame, figures: Sequence[Path], manifests: Mapping[str, dict[str, Any]]
) -> list[Section]:
    """Return a section per comparison: its tables and figures."""
    found = []
    for number, item in enumerate(settings.comparisons):
        rows = comparison_metrics(metrics, dataset=item.dataset, source=item.source, clip=item.clip)
        own = [path for path in figures if path.parts[-4:-1] == (item.dataset, item.source, item.clip)]
        found.append(
            Section(
                anchor=f"comparison-{number}",
                comparison=item,
                classes=_classes(item.dataset, manifests),
                tables=tuple(metric_tables(rows, fixed_alpha=settings.fixed_alpha)),
                figures=tuple((FIGURE_TEXTS[path.stem], data_uri(path.read_bytes())) for path in own),
            )
        )
    return found


def metric_tables(rows: pd.DataFrame, *, fixed_alpha: str) -> list[MetricTable]:
    """Return one table per metric, top-1 first."""
    if rows.empty:
        return []
    means, domains = over_seeds(rows), domains_of(rows)
    present = set(rows.metric)
    return [
        MetricTable(
            name=title,
            percent=metric not in ("nll", "brier"),
            domains=tuple(domain_title(domain) for domain in domains),
            rows=tuple(headline_rows(means, domains=domains, fixed_alpha=fixed_alpha, metric=metric)),
        )
        for metric, title in METRIC_NAMES.items()
        if metric in present
    ]


@dataclass(frozen=True)
class SummaryRow:
    """One line of the summary: a comparison, and each method's mean top-1 accuracy at the fixed alpha."""

    anchor: str
    comparison: PageComparison
    cells: tuple[Cell | None, ...]


def summary(
    settings: PageSettings, found: Sequence[Section], metrics: pd.DataFrame
) -> tuple[list[str], list[SummaryRow]]:
    """Return the methods, and per comparison their top-1 accuracy at the fixed alpha (zero-shot: nothing trained)."""
    methods = list(dict.fromkeys(name for item in settings.comparisons for name in item.methods))
    rows = []
    for section in found:
        item = section.comparison
        own = comparison_metrics(metrics, dataset=item.dataset, source=item.source, clip=item.clip)
        domains = domains_of(own)
        means = over_seeds(own)
        cells = [_summary_cell(means, method, domains, settings.fixed_alpha) for method in methods]
        rows.append(SummaryRow(section.anchor, item, tuple(cells)))
    return methods, rows


def _summary_cell(means: pd.DataFrame, method: str, domains: Sequence[str], fixed_alpha: str) -> Cell | None:
    if not domains:
        return None
    domain = MEAN if MEAN in domains else domains[0]
    alpha = "0.00" if method == ZERO_SHOT else fixed_alpha
    keys = (means.method == method) & (means.alpha == alpha) & (means.domain == domain)
    rows = means[keys & (means.metric == "top1") & (means.space == "all")]
    if rows.empty:
        return None
    row = rows.iloc[0]
    return Cell(row.value, row.low, row.high, row.spread, int(row.seeds))


def _classes(dataset: str, manifests: Mapping[str, dict[str, Any]]) -> tuple[str, ...]:
    for content in manifests.values():
        if content.get("dataset") == dataset:
            return tuple(content["classes"])
    return ()


def read_manifests(paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Return every manifest by its path."""
    return {str(path): read_manifest(path) for path in paths}


def models(manifests: Mapping[str, dict[str, Any]]) -> list[Model]:
    """Return the models among the manifests, with what each has seen."""
    found = []
    for path, content in manifests.items():
        if "origin" in content:
            origin = content["origin"]
            where = {"embedded": "trained here", "hub": f"{origin.get('repository')} at {origin.get('revision')}"}
            found.append(
                Model(
                    name=Path(path).parent.name,
                    origin=where.get(origin.get("kind"), str(origin.get("path", "a folder"))),
                    seen=origin.get("seen", "not known: see its own documentation"),
                )
            )
    return found


def image_sources(manifests: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per set of images: where it comes from, how many, and how it was made."""
    rows = []
    for content in manifests.values():
        if "shards" in content:
            made = {
                key: value for key, value in content["provenance"].items() if key not in ("checkpoint", "environment")
            }
            rows.append({**content, "shards": len(content["shards"]), "made": pretty(made)})
    return rows


def records(paths: Sequence[Path]) -> list[tuple[str, str]]:
    """Return the name of every run and its record as text."""
    return [(" / ".join(path.parts[-6:-1]), pretty(json.loads(path.read_text(encoding="utf-8")))) for path in paths]


def pretty(value: Any) -> str:
    """Return readable JSON."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)
