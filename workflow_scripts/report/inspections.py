"""What a judge says of drawn pictures, in numbers: shares by style, copies, and the classes that are drawn worst."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.common.constants import REAL_TEST
from workflow_scripts.common.parquet import read_parquet
from workflow_scripts.real_images.icons.twins import SAME

TOP = 5
_Z = 1.96

COLUMNS = ("label", "source", "domain", "rank", "predicted", "nearest")


@dataclass(frozen=True)
class Share:
    """A share of some pictures with its 95 % interval (Wilson 1927), all fractions."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class DrawnDomain:
    """The drawn pictures of one domain: how many, which share is recognized, and which are copies."""

    domain: str
    images: int
    top1: Share
    top5: Share
    copies: Share | None
    """Pictures with a twin among the training pictures; None if they were not compared."""
    real: Share | None
    """Share of the real test pictures of this domain that the judge recognizes; None if there are none."""


@dataclass(frozen=True)
class DrawnClass:
    """A class as it is drawn, over all domains: the share that is recognized, and what the rest is mostly taken for."""

    name: str
    top1: float
    taken_for: str


def read_inspections(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the joined tables of inspections; an empty one of the same columns if there are none."""
    tables = [read_parquet(path, what="inspection", columns=COLUMNS).to_pandas() for path in paths]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def share(flags: pd.Series) -> Share:
    """Return the share of true flags with Wilson's interval, which stays within 0..1 for few pictures."""
    count, value = len(flags), float(flags.mean())
    middle = (value + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * np.sqrt(value * (1 - value) / count + _Z**2 / (4 * count**2))
    return Share(value, float(middle - half), float(middle + half))


def drawn_domains(inspections: pd.DataFrame) -> list[DrawnDomain]:
    """Return the drawn pictures domain by domain, in the order of the tables."""
    real = inspections[inspections["source"] == REAL_TEST]
    drawn = inspections[inspections["source"] != REAL_TEST]
    domains = []
    for domain, rows in drawn.groupby("domain", sort=False):
        tested = real[real["domain"] == domain]
        domains.append(
            DrawnDomain(
                domain=str(domain),
                images=len(rows),
                top1=share(rows["rank"] < 1),
                top5=share(rows["rank"] < TOP),
                copies=None if rows["nearest"].isna().any() else share(rows["nearest"] > SAME),
                real=share(tested["rank"] < 1) if len(tested) else None,
            )
        )
    return domains


def drawn_classes(inspections: pd.DataFrame, classes: Sequence[str]) -> list[DrawnClass]:
    """Return the classes that were drawn, the worst first."""
    drawn = inspections[inspections["source"] != REAL_TEST]
    found = []
    for label, rows in drawn.groupby("label"):
        wrong = rows.loc[rows["rank"] > 0, "predicted"]
        taken_for = "" if wrong.empty else str(wrong.value_counts(sort=True).sort_index(kind="stable").idxmax())
        found.append(DrawnClass(classes[int(str(label))], float((rows["rank"] < 1).mean()), taken_for))
    return sorted(found, key=lambda item: (item.top1, item.name))
