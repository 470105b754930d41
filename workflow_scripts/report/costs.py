"""What each kind of job cost, from Snakemake's benchmark files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

_MEASURED = {"s": "wall", "max_rss": "memory"}


@dataclass(frozen=True)
class Cost:
    """The cost of all jobs of one rule: wall clock in seconds, memory in megabytes.

    `peak_megabytes` is that of the heaviest single job; None where every job was too short for a sample.
    """

    rule: str
    jobs: int
    wall_seconds: float
    peak_megabytes: float | None


@dataclass(frozen=True)
class Costs:
    """The cost of every rule, the longest first, and how many benchmark files could not be read."""

    rules: tuple[Cost, ...]
    unreadable: int

    @property
    def total(self) -> Cost:
        """Return the sum over all rules; its peak is the highest one."""
        return Cost(
            "all",
            sum(cost.jobs for cost in self.rules),
            sum(cost.wall_seconds for cost in self.rules),
            max((cost.peak_megabytes for cost in self.rules if cost.peak_megabytes is not None), default=None),
        )

    def share(self, cost: Cost) -> float:
        """Return a rule's wall clock relative to the longest rule's, between 0 and 1."""
        longest = max((each.wall_seconds for each in self.rules), default=0.0)
        return cost.wall_seconds / longest if longest else 0.0


def read_costs(folder: Path | None, *, configuration: str, shared: Sequence[str]) -> Costs:
    """Return the cost of every rule with a benchmark; none if the folder is missing or not given.

    Args:
        folder: Snakemake's benchmark files, RULE/CONFIGURATION/... and RULE/shared/...
        configuration: name of the configuration whose own jobs count.
        shared: products below RULE/shared/ that it uses, whoever made them.

    A file that is being written or is damaged is counted and left out: costs are beside the point of a run, so they
    never stop the report.
    """
    own = [configuration, *(f"shared/{name}" for name in shared)]
    files = {path for name in own for path in _files(folder, name)} if folder is not None else ()
    paths = sorted(files)
    measured = [(path.relative_to(folder).parts[0], _read(path)) for path in paths if folder is not None]
    rows = [{"rule": rule, **row} for rule, row in measured if row is not None]
    grouped = pd.DataFrame(rows).groupby("rule") if rows else ()
    costs = [
        Cost(
            str(rule),
            len(part),
            float(part["wall"].sum()),
            None if part["memory"].isna().all() else float(part["memory"].max()),
        )
        for rule, part in grouped
    ]
    return Costs(tuple(sorted(costs, key=lambda cost: -cost.wall_seconds)), len(measured) - len(rows))


def _files(folder: Path, name: str) -> Iterator[Path]:
    for rule in folder.iterdir() if folder.is_dir() else ():
        yield from (rule / name).glob("**/*.tsv")
        if (rule / f"{name}.tsv").is_file():
            yield rule / f"{name}.tsv"


def _read(path: Path) -> dict[str, float] | None:
    try:
        row = pd.read_csv(path, sep="\t", na_values=["-", "NA"]).iloc[-1]
        return {name: float(row[column]) for column, name in _MEASURED.items()}
    except (OSError, ValueError, KeyError, IndexError):
        return None


def duration(seconds: float) -> str:
    """Return a time for a reader: `7.5 s`, `5 min 31 s`, `2 h 04 min`."""
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"


_MINUTE = 60
_HOUR = 3600
