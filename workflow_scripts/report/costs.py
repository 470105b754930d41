"""What each kind of job cost, from Snakemake's benchmark files."""

import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.report.style import COLOURS


@dataclass(frozen=True)
class Cost:
    """The cost of all jobs of one rule: wall clock and processor time in seconds, memory in megabytes."""

    rule: str
    jobs: int
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float


def read_costs(folder: Path) -> list[Cost]:
    """Return the cost of every rule with a benchmark, the longest first; none if the folder is missing.

    A file that is being written or is damaged is left out: costs are beside the point of a run.
    """
    rows = []
    for path in sorted(folder.glob("*/**/*.tsv")):
        row = _read(path)
        if row is not None:
            rows.append({"rule": path.relative_to(folder).parts[0], **row})
    if not rows:
        return []
    grouped = pd.DataFrame(rows).groupby("rule")
    costs = [
        Cost(str(rule), len(part), float(part.s.sum()), float(part.cpu_time.sum()), float(part.max_rss.max()))
        for rule, part in grouped
    ]
    return sorted(costs, key=lambda cost: -cost.wall_seconds)


def _read(path: Path) -> dict[str, float] | None:
    try:
        table = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        row = table.iloc[-1]
        return {name: float(row[name]) if pd.notna(row[name]) else 0.0 for name in ("s", "cpu_time", "max_rss")}
    except (OSError, ValueError, KeyError, IndexError, pd.errors.ParserError):
        return None


def cost_figure(costs: list[Cost]) -> bytes:
    """Return a bar figure of wall clock per rule, as PNG."""
    figure = Figure(figsize=(7, 0.28 * len(costs) + 0.7))
    axis = figure.subplots()
    names = [f"{cost.rule} ({cost.jobs})" for cost in reversed(costs)]
    bars = axis.barh(names, [cost.wall_seconds for cost in reversed(costs)], color=COLOURS[0])
    axis.bar_label(bars, fmt="%.0f s", padding=3, fontsize=8)
    axis.set_xlabel("wall clock of all jobs together, seconds (number of jobs in brackets)", fontsize=8)
    axis.tick_params(axis="y", labelsize=8)
    axis.grid(visible=False, axis="y")
    axis.margins(x=0.12)
    stream = io.BytesIO()
    figure.savefig(stream, dpi=110, bbox_inches="tight", metadata={"Software": None})
    return stream.getvalue()
