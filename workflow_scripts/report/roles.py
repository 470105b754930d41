"""Which alphas of each run the report shows, and why: endpoints, and what pickers chose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import pandas as pd

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.selection_file import Selection
from workflow_scripts.report.labels import is_zero_shot

RUN_KEYS = ["dataset", "source", "clip", "method", "seed"]
"""Columns of a metric table that name a run."""


RoleKind = Literal["zero-shot", "only", "pre-trained", "picked", "fine-tuned", "oracle"]
"""In the order of a method's rows."""


@dataclass(frozen=True)
class Role:
    """Why a row of a table shows the alpha that it shows."""

    kind: RoleKind
    why: str
    picker: str = ""
    number: int = 0
    """Place of the picker in the configuration."""

    @property
    def oracle(self) -> bool:
        """Return whether it is an upper bound and not a result."""
        return self.kind == "oracle"

    @property
    def in_summary(self) -> bool:
        """Return whether the summary shows it: it is what the run comes to."""
        return self.kind in ("zero-shot", "only") or (self.kind == "picked" and self.number == 0)

    @property
    def place(self) -> tuple[int, int]:
        """Return where it stands among the rows of a method."""
        return get_args(RoleKind).index(self.kind), self.number


ZERO_SHOT_ROLE = Role("zero-shot", "nothing trained")
PRETRAINED = Role("pre-trained", "pre-trained endpoint")
FINETUNED = Role("fine-tuned", "fine-tuned endpoint")
ONLY = Role("only", "the only one")


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
                number,
            ),
        )
        for number, choice in enumerate(selection.choices)
        if choice.alpha is not None
    ]
    endpoints = {0.0: PRETRAINED, 1.0: FINETUNED}
    shown = [(alpha, endpoints[float(alpha)]) for alpha in alphas if float(alpha) in endpoints]
    return sorted([*shown, *picked], key=lambda item: item[1].place)


def with_roles(metrics: pd.DataFrame, selections: Iterable[Selection]) -> pd.DataFrame:
    """Return the rows of metric tables that are shown, with their `role`: one alpha's rows stand there once per role.

    Raises:
        InputError: a run was measured, but none of the selections is its own, or not at all alphas of its own.
    """
    items = list(selections)
    alphas_of = {tuple(getattr(item, key) for key in RUN_KEYS): item.alphas for item in items}
    for run, rows in metrics.groupby(RUN_KEYS, sort=False):
        name = ", ".join(map(str, run))
        if run not in alphas_of:
            raise InputError(f"--selections: no selection of {name}; give one of each run")
        if missing := sorted(set(alphas_of[run]) - set(rows["alpha"])):
            raise InputError(f"--metrics: none of {name} at alpha {missing[0]}, which its selection names")
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
    """Return each role with its rows, in the order of a method's rows."""
    groups = [(cast(Role, role), rows) for role, rows in means.groupby("role", sort=False)]
    return sorted(groups, key=lambda group: group[0].place)


@dataclass(frozen=True)
class PickerTexts:
    """What the page says of a picker: why rows show its alpha, how it chooses, and the alphas that it chose."""

    title: str
    explanation: str
    alphas: tuple[str, ...]
    in_summary: bool
    chose_none: tuple[str, ...]
    """Runs for which it chose nothing."""


def picker_texts(selections: Sequence[Selection]) -> list[PickerTexts]:
    """Return the texts of every picker that chose among several alphas, honest ones first."""
    several = [selection for selection in selections if len(selection.alphas) > 1]
    choices = [(selection, choice) for selection in several for choice in selection.choices]
    explanations = {choice.picker: choice.explanation for _, choice in choices}
    none = [(choice.picker, f"{each.method}, seed {each.seed}") for each, choice in choices if choice.alpha is None]
    return [
        PickerTexts(
            title=role.why,
            explanation=explanations[role.picker],
            alphas=tuple(sorted({alpha for alphas in by_method.values() for alpha in alphas}, key=float)),
            in_summary=role.in_summary,
            chose_none=tuple(dict.fromkeys(run for picker, run in none if picker == role.picker)),
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
    return dict(sorted(picked.items(), key=lambda item: item[0].place))
