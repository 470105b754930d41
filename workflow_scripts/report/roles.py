"""Which alphas of each run the report shows, and why: endpoints, and what pickers chose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import pandas as pd

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.selection_file import Selection
from workflow_scripts.report.labels import is_zero_shot

RUN_KEYS = ["dataset", "source", "clip", "method", "seed"]
"""Columns of a metric table that name a run."""


@dataclass(frozen=True)
class Role:
    """Why a row of a table shows the alpha that it shows."""

    kind: Literal["zero-shot", "pre-trained", "picked", "fine-tuned", "only", "oracle"]
    why: str
    picker: str = ""
    in_summary: bool = False
    """Whether the summary shows it: it is what the run comes to."""

    @property
    def oracle(self) -> bool:
        """Return whether it is an upper bound and not a result."""
        return self.kind == "oracle"


ZERO_SHOT_ROLE = Role("zero-shot", "nothing trained", in_summary=True)
PRETRAINED = Role("pre-trained", "pre-trained endpoint")
FINETUNED = Role("fine-tuned", "fine-tuned endpoint")
ONLY = Role("only", "the only one", in_summary=True)


def roles_of(selection: Selection) -> list[tuple[str, Role]]:
    """Return the alphas of one run that tables show, each with the reason; of a run with one alpha, this one."""
    alphas = selection.alphas
    if is_zero_shot(selection.method):
        return [(alpha, ZERO_SHOT_ROLE) for alpha in alphas]
    if len(alphas) == 1:
        return [(alphas[0], ONLY)]
    titles = [choice.title for choice in selection.choices]
    picked = [
        (
            choice.alpha,
            Role(
                "oracle" if choice.oracle else "picked",
                choice.title if titles.count(choice.title) == 1 else f"{choice.title} ({choice.picker})",
                choice.picker,
                in_summary=number == 0,
            ),
        )
        for number, choice in enumerate(selection.choices)
        if choice.alpha is not None
    ]
    return [
        *((alpha, PRETRAINED) for alpha in alphas if float(alpha) == 0.0),
        *((alpha, role) for alpha, role in picked if not role.oracle),
        *((alpha, FINETUNED) for alpha in alphas if float(alpha) == 1.0),
        *((alpha, role) for alpha, role in picked if role.oracle),
    ]


def with_roles(metrics: pd.DataFrame, selections: Iterable[Selection]) -> pd.DataFrame:
    """Return the rows of metric tables that are shown, with their `role`: one alpha's rows stand there once per role.

    Raises:
        InputError: a run was measured, but none of the selections is its own.
    """
    items = list(selections)
    known = {tuple(getattr(item, key) for key in RUN_KEYS) for item in items}
    for run in metrics[RUN_KEYS].drop_duplicates().itertuples(index=False, name=None):
        if run not in known:
            raise InputError(f"--selections: no selection of {', '.join(map(str, run))}; give one of each run")
    shown = pd.DataFrame(
        [
            {**{key: getattr(item, key) for key in RUN_KEYS}, "alpha": alpha, "role": role}
            for item in items
            for alpha, role in roles_of(item)
        ],
        columns=[*RUN_KEYS, "alpha", "role"],
    ).astype({"seed": int})
    return shown.merge(metrics.astype({"seed": int}), on=[*RUN_KEYS, "alpha"])


def by_role(means: pd.DataFrame) -> list[tuple[Role, pd.DataFrame]]:
    """Return each role with its rows, in order of appearance."""
    return [(cast(Role, role), rows) for role, rows in means.groupby("role", sort=False)]


@dataclass(frozen=True)
class PickerTexts:
    """What the page says of a picker: why rows show its alpha, how it chooses, and the alphas that it chose."""

    title: str
    explanation: str
    alphas: tuple[str, ...]
    in_summary: bool


def picker_texts(selections: Sequence[Selection]) -> list[PickerTexts]:
    """Return the texts of every picker that chose among several alphas, honest ones first."""
    explanations = {choice.picker: choice.explanation for each in selections for choice in each.choices}
    return [
        PickerTexts(
            title=role.why,
            explanation=explanations[role.picker],
            alphas=tuple(sorted({alpha for alphas in by_method.values() for alpha in alphas}, key=float)),
            in_summary=role.in_summary,
        )
        for role, by_method in picked_alphas(selections).items()
    ]


def picked_alphas(selections: Iterable[Selection]) -> dict[Role, dict[str, list[str]]]:
    """Return from each picker's role to the alphas that it chose for each method, of all seeds."""
    picked: dict[Role, dict[str, list[str]]] = {}
    for selection in selections:
        for alpha, role in roles_of(selection):
            if role.picker:
                picked.setdefault(role, {}).setdefault(selection.method, []).append(alpha)
    return picked
