"""Let every picker choose the alpha of one run, and write what each looked at."""

import argparse
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import SupportsFloat

import pandas as pd

from workflow_scripts.common.entry_point import entry_parser, in_order, run
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import canonical_json, write_json
from workflow_scripts.common.parts import kinds_of
from workflow_scripts.common.selection_file import Choice, Selection
from workflow_scripts.evaluation.metric_files import read_metrics
from workflow_scripts.selection.inputs import visible_to
from workflow_scripts.selection.picker import Pick, Picker
from workflow_scripts.selection.settings import NamedPicker, SelectionJob

logger = logging.getLogger(__name__)


def job(options: argparse.Namespace) -> None:
    """Read what was measured, and write the selection."""
    settings = SelectionJob.parse(options.settings)
    metrics = read_metrics(options.metrics)
    scores = dict(in_order(settings.domains, options.scores, option="scores"))
    choices = tuple(choice_of(named, settings.alphas, metrics, scores) for named in settings.pickers)
    if choices[0].alpha is None:
        raise InputError(
            f"pickers.{choices[0].picker}: it chose none of {', '.join(settings.alphas)}, and it is the first"
        )
    selection = Selection(
        dataset=settings.dataset,
        source=settings.source,
        clip=settings.clip,
        method=settings.method,
        seed=settings.run_seed,
        alphas=settings.alphas,
        choices=choices,
    )
    write_json(options.output, selection.model_dump(mode="json"))
    for choice in choices:
        logger.info("%s: alpha %s, from %s", choice.picker, choice.alpha, ", ".join(choice.looked_at) or "nothing")


def choice_of(named: NamedPicker, alphas: tuple[str, ...], metrics: pd.DataFrame, scores: Mapping[str, Path]) -> Choice:
    """Return what a picker chooses; where there is a single alpha, this one, and no picker is asked.

    Args:
        named: the picker.
        alphas: alphas of the run.
        metrics: the run's metric table.
        scores: from each evaluation domain to its score table.

    Raises:
        InputError: there is no such picker, or what it chooses is not as it must be.
    """
    if len(alphas) == 1:
        return Choice(
            picker=named.name,
            title="the only alpha",
            explanation="The run has a single alpha: there was nothing to choose.",
            looked_at=(),
            criterion=None,
            values={},
            alpha=alphas[0],
        )
    where = f"pickers.{named.name}"
    kind = kinds_of([named.module], module="selection.pickers.{}", base=Picker)[named.module]  # type: ignore[type-abstract]
    picker = kind.parse(canonical_json(named.settings))
    # A traceback of the picker's own code then follows its name.
    logger.info("%s chooses", where)
    try:
        pick = picker.pick(visible_to(named.looks_at, alphas=alphas, metrics=metrics, scores=scores))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    values = _verified_values(pick, alphas, where=where)
    return Choice(
        picker=named.name,
        title=named.title,
        explanation=named.explanation,
        looked_at=named.looks_at,
        criterion=named.criterion if values else None,
        values=values,
        alpha=pick.alpha,
    )


def _verified_values(pick: Pick, alphas: tuple[str, ...], *, where: str) -> dict[str, float]:
    """Return the criterion at every alpha, as plain numbers, after a look at all that a picker handed over."""
    if not isinstance(pick, Pick):
        raise InputError(f"{where}: its choice is a {type(pick).__name__}; it must return a Pick")
    for alpha in (*pick.values, *([] if pick.alpha is None else [pick.alpha])):
        if alpha not in alphas:
            raise InputError(f"{where}: {alpha!r} is not one of the run's alphas, {', '.join(alphas)}")
    values = {}
    for alpha, value in pick.values.items():
        if not isinstance(value, SupportsFloat) or not math.isfinite(value):
            raise InputError(f"{where}: its criterion at alpha {alpha} is {value!r}, not a finite number")
        values[alpha] = float(value)
    return values


def main() -> None:
    """Run from the command line."""
    parser = entry_parser(__doc__)
    parser.add_argument("--metrics", type=Path, nargs="*", default=[], help="the run's metric table, if it has one")
    parser.add_argument("--scores", type=Path, nargs="*", default=[], help="score tables, one per domain")
    parser.add_argument("--output", type=Path, required=True, help="selection to write")
    run(job, parser)


if __name__ == "__main__":
    main()
